"""After a traced call, no attribute of a row holds a Tensor of the trace."""

import lamina as tf
from lamina.engine import Tensor
from tests.conformance.rows import over
from tests.conformance.table import run, specs, takes_training

_PLAIN = (str, bytes, int, float, complex, bool, type(None))


def _held(thing, path, seen):
    """Yield (path, Tensor) for everything that attributes, lists and dicts of an object hold."""
    if isinstance(thing, _PLAIN) or id(thing) in seen:
        return
    seen[id(thing)] = thing
    if isinstance(thing, Tensor):
        yield path, thing
    elif isinstance(thing, dict):
        for key, value in list(thing.items()):
            yield from _held(value, f"{path}[{key!r}]", seen)
    elif isinstance(thing, list | tuple | set | frozenset):
        for i, value in enumerate(thing):
            yield from _held(value, f"{path}[{i}]", seen)
    elif type(thing).__module__.startswith("lamina.keras"):
        for name, value in list(getattr(thing, "__dict__", {}).items()):
            yield from _held(value, f"{path}.{name}", seen)


@over("leaks", "layers", "losses", "metrics", "optimizers", "optimizers.schedules", compiles=False)
def test_no_attribute_holds_a_traced_tensor(case):
    thing = case.make()
    more = takes_training(case, thing)
    function = tf.function(lambda *t: run(case, thing, list(t), **more))
    batch = case.inputs[0].shape[0]
    function.get_concrete_function(*specs(case, batch))
    held = [
        path for path, t in _held(thing, case.name, {}) if t._value is None and not t._trace.eager
    ]
    assert not held, f"of a finished trace: {held}"
