# malt has no types.
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
"""Source to source by diastatic-malt, compiled under the user's file name and line numbers.

Imported when the first function is converted, since it brings malt with it.
"""

import ast
import threading
import types
import weakref
from typing import Any

from malt.converters import (
    break_statements,
    call_trees,
    conditional_expressions,
    continue_statements,
    control_flow,
    directives,
    functions,
    logical_expressions,
    return_statements,
    variables,
)
from malt.core import converter, unsupported_features_checker
from malt.impl import api
from malt.lang import directives as malt_directives
from malt.pyct import anno, origin_info, parser, templates, transpiler
from malt.pyct.errors import UnsupportedLanguageElementError
from malt.pyct.static_analysis import activity

from lamina.autograph import experimental

__all__ = ["OPTIONS", "source_of", "transformed"]

# With it `print` is a call like others.
OPTIONS = converter.ConversionOptions(
    recursive=True, optional_features=converter.Feature.BUILTIN_FUNCTIONS
)
_KEY = "converted"


class _Handlers(ast.NodeTransformer):
    """Writes `except E as error:` with an assignment, which malt's analysis takes."""

    def visit_ExceptHandler(self, node):
        self.generic_visit(node)
        if node.name is not None:
            node.body[:0] = templates.replace("target = ag__.caught()", target=node.name)
            node.name = None
        return node


class _Directives(directives.DirectivesTransformer):
    """Takes lamina's `set_loop_options` for malt's."""

    def visit_Name(self, node):  # noqa: N802  # ast's name
        return self._own(super().visit_Name(node))

    def visit_Attribute(self, node):  # noqa: N802
        return self._own(super().visit_Attribute(node))

    def _own(self, node):
        found = anno.getanno(node, directives.STATIC_VALUE, default=None)
        if found is experimental.set_loop_options:
            anno.setanno(node, directives.STATIC_VALUE, malt_directives.set_loop_options)
        return node


class _Asserts(converter.Base):
    """Writes `assert test, message` as a call; malt's own takes constant messages only."""

    def visit_Assert(self, node):  # noqa: N802
        node = self.generic_visit(node)
        message = node.msg or ast.Constant("Assertion error")
        return templates.replace(
            "ag__.assert_stmt(test, lambda: message)", test=node.test, message=message
        )


class _Appends(converter.Base):
    """Writes `items.append(x)` on a local name as `items = ag__.list_append(items, x)`.

    So a list that a loop fills is seen as what the loop changes.
    """

    def visit_FunctionDef(self, node):  # noqa: N802
        scope = anno.getanno(node, activity.NodeAnno.BODY_SCOPE)
        arguments = anno.getanno(node, activity.NodeAnno.ARGS_AND_BODY_SCOPE)
        bound = {str(n) for n in (*scope.bound, *arguments.bound) if n.is_symbol()}
        bound -= {str(n) for n in (*scope.globals, *scope.nonlocals)}
        before, self._bound = getattr(self, "_bound", set()), bound
        node = self.generic_visit(node)
        self._bound = before
        return node

    def visit_Expr(self, node):  # noqa: N802
        node = self.generic_visit(node)
        call = node.value
        if not isinstance(call, ast.Call) or len(call.args) != 1 or call.keywords:
            return node
        function = call.func
        if (
            not isinstance(function, ast.Attribute)
            or function.attr != "append"
            or not isinstance(function.value, ast.Name)
            or function.value.id not in getattr(self, "_bound", ())
        ):
            return node
        return templates.replace(
            "target = ag__.list_append(target, element)",
            target=function.value,
            element=call.args[0],
        )


class _Transpiler(api.PyToPy):
    """malt's passes, without those that change Python's lists and slices."""

    def transform_ast(self, node, ctx):
        unsupported_features_checker.verify(node)
        if any(isinstance(n, ast.Nonlocal) for n in ast.walk(node)):
            # A converted inner function would lose the assignment without a word.
            raise UnsupportedLanguageElementError("`nonlocal` is not supported")
        node = self.initial_analysis(_Handlers().visit(node), ctx)
        node = functions.transform(node, ctx)
        node = _Directives(ctx).visit(node)
        node = break_statements.transform(node, ctx)
        node = _Asserts(ctx).visit(node)
        node = continue_statements.transform(node, ctx)
        node = return_statements.transform(node, ctx)
        node = activity.resolve(node, ctx, None)
        node = _Appends(ctx).visit(node)
        node = call_trees.transform(node, ctx)
        node = control_flow.transform(node, ctx)
        node = conditional_expressions.transform(node, ctx)
        node = logical_expressions.transform(node, ctx)
        return variables.transform(node, ctx)


class _Factory:
    """The compiled module that makes a converted function for given closure cells."""

    def __init__(self, fn):
        context = converter.ProgramContext(options=OPTIONS)
        nodes: Any
        ctx: Any
        nodes, ctx = transpiler.GenericTranspiler.transform_function(_transpiler, fn, context)
        self.name = ctx.info.name
        if isinstance(nodes, ast.Lambda):
            nodes = ast.Assign(targets=[ast.Name(self.name, ctx=ast.Store())], value=nodes)
        else:
            nodes.name = self.name
        self.source = parser.unparse(nodes, include_encoding_marker=False)
        self.free = fn.__code__.co_freevars
        outer = ctx.namer.new_symbol("outer_factory", ())
        wrapped = transpiler._wrap_into_factory(
            nodes,
            self.name,
            ctx.namer.new_symbol("inner_factory", ()),
            outer,
            self.free,
            ("ag__",),
            ctx.info.future_features,
        )
        code = _compiled(wrapped, fn)
        names: dict[str, Any] = {}
        exec(code, names)
        self.code = names[outer]().__code__

    def make(self, fn, operators):
        """Return the converted form of `fn`, with its globals, cells and defaults."""
        cells = dict(zip(self.free, fn.__closure__ or (), strict=True))
        closure = tuple(cells[name] for name in self.code.co_freevars)
        inner = types.FunctionType(self.code, fn.__globals__, self.name, (), closure)
        made = inner(operators)
        made.__defaults__ = fn.__defaults__
        made.__kwdefaults__ = fn.__kwdefaults__
        made.__name__, made.__qualname__ = fn.__name__, fn.__qualname__
        return made


def _compiled(nodes, fn):
    """Compile nodes so that tracebacks show the lines that the user wrote."""
    source = parser.unparse(nodes, include_encoding_marker=False)
    origins = {
        place.lineno: origin.loc.lineno
        for place, origin in origin_info.create_source_map(nodes, source, _KEY).items()
    }
    tree = ast.parse(source)
    _place(tree, origins, fn.__code__.co_firstlineno)
    code = compile(tree, fn.__code__.co_filename, "exec", dont_inherit=True)
    return _renamed(code, fn.__name__, _names(fn.__code__))


def _place(node, origins, line):
    if hasattr(node, "lineno"):
        line = origins.get(node.lineno, line)
        node.lineno = node.end_lineno = line
        node.col_offset = node.end_col_offset = 0
    for child in ast.iter_child_nodes(node):
        _place(child, origins, line)


def _names(code):
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return {code.co_name}.union(*map(_names, inner))


def _renamed(code, name, known):
    """Give generated functions, such as a loop's body, the name of the function around."""
    name = code.co_name if code.co_name in known else name
    consts = tuple(
        _renamed(c, name, known) if isinstance(c, types.CodeType) else c for c in code.co_consts
    )
    return code.replace(co_name=name, co_consts=consts)


_transpiler = _Transpiler()
_factories: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
_lock = threading.RLock()


def _factory(fn) -> _Factory:
    with _lock:
        found = _factories.get(fn.__code__)
        if found is None:
            try:
                found = _Factory(fn)
            except Exception as error:
                _factories[fn.__code__] = error
                raise
            _factories[fn.__code__] = found
    if isinstance(found, Exception):
        raise found
    return found


def transformed(fn, operators):
    """Return the converted form of a Python function.

    Args:
        fn: A function with source code.
        operators: The object whose attributes the converted code calls for control flow.

    Raises:
        Exception: malt's error, if the function cannot be converted.
    """
    return _factory(fn).make(fn, operators)


def source_of(fn) -> str:
    """Return the source code of the converted form."""
    return _factory(fn).source
