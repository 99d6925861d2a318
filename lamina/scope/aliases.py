"""The modules of TensorFlow and Keras, private ones too, and which of lamina's they are.

`lamina run` binds them in the import system of its process. `tf.python` has the private ones in
any program.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from typing import Any

from lamina import scope
from lamina.demand import answer_for_missing_names
from lamina.scope.older import module_target

__all__ = ["install", "install_below", "target_of"]

# The longest prefix counts: module that a program imports, module that it gets.
_PREFIXES = {
    "tensorflow": "lamina",
    "tensorflow.compat.v2": "lamina",
    "tensorflow.keras": "lamina.keras",
    "tensorflow.python.autograph": "lamina.autograph",
    "tensorflow.python.client.device_lib": "lamina.device_lib",
    "tensorflow.python.data": "lamina.data",
    "tensorflow.python.eager.backprop": "lamina",
    "tensorflow.python.eager.context": "lamina",
    "tensorflow.python.eager.def_function": "lamina",
    "tensorflow.python.framework.dtypes": "lamina.dtypes",
    "tensorflow.python.framework.errors": "lamina.errors",
    "tensorflow.python.framework.errors_impl": "lamina.errors",
    "tensorflow.python.framework.ops": "lamina",
    "tensorflow.python.framework.constant_op": "lamina",
    "tensorflow.python.framework.random_seed": "lamina.random",
    "tensorflow.python.framework.tensor_shape": "lamina",
    "tensorflow.python.framework.tensor_spec": "lamina",
    "tensorflow.python.keras": "lamina.keras",
    "tensorflow.python.keras.api._v2.keras": "lamina.keras",
    "tensorflow.python.ops.array_ops": "lamina",
    "tensorflow.python.ops.check_ops": "lamina.debugging",
    "tensorflow.python.ops.clip_ops": "lamina",
    "tensorflow.python.ops.control_flow_ops": "lamina",
    "tensorflow.python.ops.custom_gradient": "lamina",
    "tensorflow.python.ops.image_ops": "lamina.image",
    "tensorflow.python.ops.init_ops_v2": "lamina.keras.initializers",
    "tensorflow.python.ops.linalg_ops": "lamina.linalg",
    "tensorflow.python.ops.lookup_ops": "lamina.lookup",
    "tensorflow.python.ops.map_fn": "lamina",
    "tensorflow.python.ops.math_ops": "lamina.math",
    "tensorflow.python.ops.nn": "lamina.nn",
    "tensorflow.python.ops.nn_ops": "lamina.nn",
    "tensorflow.python.ops.random_ops": "lamina.random",
    "tensorflow.python.ops.string_ops": "lamina.strings",
    "tensorflow.python.ops.summary_ops_v2": "lamina.summary",
    "tensorflow.python.ops.variables": "lamina",
    "tensorflow.python.platform.gfile": "lamina.io.gfile",
    "tensorflow.python.platform.tf_logging": "lamina.compat.v1.logging",
    "tensorflow.python.training.tracking": "lamina",
    "tensorflow.python.util.nest": "lamina.nest",
    "keras": "lamina.keras",
    "keras.api": "lamina.keras",
    "keras.api._tf_keras.keras": "lamina.keras",
    "keras.src": "lamina.keras",
    "tf_keras": "lamina.keras",
}
_TOPS = ("tensorflow", "keras", "tf_keras")
# Packages between the top and those above: empty, with an answer for the names they do not have.
_BETWEEN = {
    ".".join(parts[:count])
    for prefix in _PREFIXES
    if (parts := prefix.split("."))[0] in _TOPS
    for count in range(2, len(parts))
} - set(_PREFIXES)


def target_of(name: str) -> str | None:
    """Return the module of lamina that a module of TensorFlow or Keras is.

    Args:
        name: The module's full name in the import statement.

    Returns:
        A module's full name; None if the name is none of TensorFlow's or Keras'.

    Example:
        >>> from lamina.scope.aliases import target_of
        >>> target_of("tensorflow.python.keras.layers.core")
        'lamina.keras.layers'
    """
    parts = name.split(".")
    if parts[0] not in _TOPS:
        return None
    for count in range(len(parts), 0, -1):
        base = _PREFIXES.get(".".join(parts[:count]))
        if base is None:
            continue
        rest = ".".join(parts[count:])
        if base == "lamina.keras" and rest:
            older = module_target(rest)
            if older is not None:
                return f"lamina.keras.{older}".rstrip(".")
        return f"{base}.{rest}" if rest else base
    return None


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules of TensorFlow and Keras: they are lamina's.

    Args:
        tops: What the names of these modules begin with.
        stands_for: What a beginning of ours is called in TensorFlow; "" where it is its own.
    """

    def __init__(self, tops: tuple[str, ...], stands_for: str = "") -> None:
        self.tops = tops
        self.stands_for = stands_for

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if not any(fullname == top or fullname.startswith(f"{top}.") for top in self.tops):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        """Put lamina's module in place of the empty one that the import system made."""
        name = module.__name__
        original = self.stands_for + name.removeprefix(self.tops[0]) if self.stands_for else name
        if original in _BETWEEN:
            module.__dict__["__getattr__"] = answer_between(name, original)
            return
        found = _found(original)
        if isinstance(found, types.ModuleType) and not hasattr(found, "__path__"):
            found.__path__ = []  # an older program may import a module below it
        sys.modules[name] = found


def answer_between(name: str, original: str) -> Any:
    """Return the `__getattr__` of a package that holds nothing but packages and modules.

    Args:
        name: The package's name here.
        original: Its name in TensorFlow.
    """

    def answer(attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        below = f"{original}.{attribute}"
        if below in _BETWEEN or below in _PREFIXES:
            return importlib.import_module(f"{name}.{attribute}")
        raise scope.MissingName(f"tf{below.removeprefix('tensorflow')}")

    return answer


def _found(name: str) -> Any:
    target = target_of(name)
    assert target is not None
    if target.startswith("lamina.python."):  # private, and none of those above
        raise _no_module(name, target)
    try:
        found = importlib.import_module(target)
    except ModuleNotFoundError as error:
        if error.name is None or not target.startswith(error.name):
            raise
        return _attribute(name, target)
    answer_for_missing_names(target)
    return found


def _attribute(name: str, target: str) -> Any:
    """Return a namespace that is no module of its own.

    What Keras has in a private file stands in the namespace around it: `keras.src.losses.losses`
    is `keras.losses`.
    """
    value: Any = importlib.import_module("lamina")
    parts = target.split(".")[1:]
    for at, part in enumerate(parts):
        try:
            value = getattr(value, part)
        except AttributeError:
            if at > 1 and name.startswith("keras.src."):
                return value
            raise _no_module(name, target) from None
    return value


def _no_module(name: str, target: str) -> ModuleNotFoundError:
    why = scope.explain(scope.public_name(target))
    return ModuleNotFoundError(f"No module named {name!r}.\n  {why}", name=name)


def install() -> None:
    """Bind the names of TensorFlow and Keras in this process, whatever is installed."""
    if any(isinstance(f, _Finder) and f.tops == _TOPS for f in sys.meta_path):
        return
    for name in [m for m in sys.modules if m.split(".")[0] in _TOPS]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Finder(_TOPS))


def install_below(package: str, original: str) -> Any:
    """Let the modules below a package of lamina be imported, and return its `__getattr__`.

    Args:
        package: The package, such as "lamina.python".
        original: Its name in TensorFlow.
    """
    sys.meta_path.insert(0, _Finder((package,), original))
    return answer_between(package, original)
