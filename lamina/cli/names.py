"""Which names of a program stand for TensorFlow's, followed through imports and assignments."""

import ast
from dataclasses import dataclass, replace
from typing import Any

from lamina import scope
from lamina.scope import older
from lamina.scope.aliases import target_of

__all__ = ["Names", "Value"]

_DATASETS = "tf.data."
# What a method of a dataset gives that is no dataset.
_NO_DATASET = {"as_numpy_iterator", "cardinality", "element_spec", "get_single_element", "reduce"}


@dataclass(frozen=True)
class Value:
    """What a name stands for.

    Attributes:
        symbol: TensorFlow's name, as in "tf.keras.layers.Dense".
        is_instance: Whether it is an object of that class; then `symbol` may end in a member.
        known: Names that the program's own subclass defines, or that it assigned.
    """

    symbol: str
    is_instance: bool = False
    known: frozenset[str] = frozenset()


class Names(ast.NodeVisitor):
    """Goes through a program in order, and says where TensorFlow's names are used.

    A subclass says what happens there: `used`, `called`, `attribute`.
    """

    def __init__(self) -> None:
        self._scopes: list[dict[str, Value | None]] = [{}]

    def used(self, node: ast.AST, value: Value) -> None:
        """Called for each longest chain of dots that starts at a name of TensorFlow."""

    def called(self, node: ast.Call, value: Value) -> None:
        """Called for each call of such a chain."""

    def attribute(self, node: ast.Attribute) -> None:
        """Called for attributes of anything else."""

    # -- names

    def _bind(self, name: str, value: Value | None) -> None:
        self._scopes[-1][name] = value

    def _look(self, name: str) -> Value | None:
        for names in reversed(self._scopes):
            if name in names:
                return names[name]
        return None

    def visit_Import(self, node: ast.Import) -> None:
        """Bind what an import statement binds."""
        for alias in node.names:
            symbol = _symbol(alias.name)
            if symbol is None:
                self._bind((alias.asname or alias.name).split(".")[0], None)
                continue
            self.used(node, Value(symbol))
            top = alias.name.split(".")[0]
            bound = symbol if alias.asname else _symbol(top)
            self._bind(alias.asname or top, Value(bound or symbol))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Bind what an import statement binds."""
        base = None if node.level else _symbol(node.module or "")
        for alias in node.names:
            if base is None:
                self._bind(alias.asname or alias.name, None)
            elif alias.name == "*":
                self.used(node, Value(base))
                self._bind_all(base)
            else:
                value = Value(f"{base}.{alias.name}")
                self.used(node, value)
                self._bind(alias.asname or alias.name, value)

    def _bind_all(self, base: str) -> None:
        try:
            module = older.get(base)
        except AttributeError:
            return
        for name in getattr(module, "__all__", None) or vars(module):
            if not name.startswith("_"):
                self._bind(name, Value(f"{base}.{name}"))

    def visit_Assign(self, node: ast.Assign) -> None:
        """Follow what is assigned to names."""
        self.visit(node.value)
        for target in node.targets:
            self._assign(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Follow what is assigned to a name."""
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self._assign(node.target, node.value)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._bind(target.id, self._value(value))
        elif isinstance(target, ast.Tuple | ast.List):
            parts = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            for i, element in enumerate(target.elts):
                if len(parts) == len(target.elts):
                    self._assign(element, parts[i])
                elif isinstance(element, ast.Name):
                    self._bind(element.id, None)
        else:
            if isinstance(target, ast.Attribute):
                self._give(target)
            self.visit(target)

    def _give(self, target: ast.Attribute) -> None:
        """Note a member that the program gives to a class, or to an object, by assignment."""
        holder = target.value
        value = self._look(holder.id) if isinstance(holder, ast.Name) else None
        if value is None or not isinstance(holder, ast.Name):
            return
        if value.is_instance or value.symbol.rpartition(".")[2][:1].isupper():
            self._bind(holder.id, replace(value, known=value.known | {target.attr}))

    def visit_For(self, node: ast.For) -> None:
        """Forget what a loop binds."""
        self.visit(node.iter)
        for found in ast.walk(node.target):
            if isinstance(found, ast.Name):
                self._bind(found.id, None)
        for statement in [*node.body, *node.orelse]:
            self.visit(statement)

    # -- scopes

    def visit_FunctionDef(self, node: Any) -> None:
        """Go into a function: its parameters are its own."""
        for outside in [*node.decorator_list, *_annotations(node.args), *_defaults(node.args)]:
            self.visit(outside)
        self._bind(node.name, None)
        self._enter(node.args, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815  # ast's name

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Go into a lambda: its parameters are its own."""
        for outside in _defaults(node.args):
            self.visit(outside)
        self._enter(node.args, [node.body])

    def _enter(self, arguments: ast.arguments, body: list[Any]) -> None:
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        rest = [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
        self._scopes.append({a.arg: None for a in [*every, *rest]})
        for part in body:
            self.visit(part)
        self._scopes.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Go into a class; an object of it is one of its base's, with members of its own."""
        for outside in [*node.decorator_list, *node.bases, *node.keywords]:
            self.visit(outside)
        bases = [value for base in node.bases if (value := self._value(base)) is not None]
        own = {name for part in ast.walk(node) for name in _members(part)} | (
            bases[0].known if bases else frozenset()
        )
        self._scopes.append({})
        for part in node.body:
            self.visit(part)
        self._scopes.pop()
        base = bases[0] if bases and not bases[0].is_instance else None
        self._bind(node.name, Value(base.symbol, known=frozenset(own)) if base else None)

    # -- uses

    def visit_Name(self, node: ast.Name) -> None:
        """Look up a name that was imported or assigned, and stands alone."""
        value = self._look(node.id)
        if isinstance(node.ctx, ast.Load) and value is not None and not value.is_instance:
            self.used(node, value)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Look up the whole chain of dots."""
        value = self._value(node)
        if value is None:
            self.attribute(node)
        elif value.symbol.rpartition(".")[2] not in value.known:
            self.used(node, value)
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            inner = inner.value
        if not isinstance(inner, ast.Name):
            self.visit(inner)

    def visit_Call(self, node: ast.Call) -> None:
        """Look up what is called, with what arguments."""
        value = self._value(node.func)
        if value is not None and not _is_own(value):
            self.called(node, value)
        self.generic_visit(node)

    def _value(self, node: ast.expr) -> Value | None:
        """Return what an expression stands for, if that is TensorFlow's."""
        if isinstance(node, ast.Name):
            return self._look(node.id)
        if isinstance(node, ast.Attribute):
            base = self._value(node.value)
            if base is None:
                return None
            return Value(f"{base.symbol}.{node.attr}", base.is_instance, base.known)
        if isinstance(node, ast.Call):
            return _result(self._value(node.func))
        return None


def _result(function: Value | None) -> Value | None:
    """Return what a call gives, as far as the name says it."""
    if function is None:
        return None
    head, _, last = function.symbol.rpartition(".")
    if head.startswith(_DATASETS) and head.endswith("Dataset"):
        return None if last in _NO_DATASET else Value("tf.data.Dataset", is_instance=True)
    if function.is_instance or not last[:1].isupper():
        return None
    return Value(function.symbol, is_instance=True, known=function.known)


def _is_own(value: Value) -> bool:
    """Return whether the program's own class defines what is called."""
    if value.is_instance:
        return value.symbol.rpartition(".")[2] in value.known
    return bool(value.known)


def _symbol(module: str) -> str | None:
    """Return a module of an import statement in TensorFlow's spelling; None for any other."""
    if module.split(".")[0] == "lamina":
        return scope.public_name(module)
    parts = module.split(".")
    if parts[:2] == ["tensorflow", "compat"]:
        return "tf." + ".".join(parts[1:])
    target = target_of(module)
    return None if target is None else scope.public_name(target)


def _members(node: ast.AST) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.name]
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        return [node.attr]
    return [node.id] if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else []


def _annotations(arguments: ast.arguments) -> list[ast.expr]:
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [a.annotation for a in every if a.annotation is not None]


def _defaults(arguments: ast.arguments) -> list[ast.expr]:
    return [d for d in [*arguments.defaults, *arguments.kw_defaults] if d is not None]
