"""What tests and docstring examples share: names, seeds, and a clean start."""

import random
import sys

import numpy as np
import pytest


def _reset_policy(policy):
    policy.set_floatx("float32")
    policy.set_epsilon(1e-7)
    policy.set_image_data_format("channels_last")
    policy._Defaults.policy = None  # unset: follows floatx


# Module → what puts its process-wide state back. Modules that no test imported are left alone.
_RESETS = {
    "lamina.engine.context": lambda module: vars(module.config).update(vars(type(module.config)())),
    "lamina.engine.random": lambda module: module.set_global_seed(0),
    "lamina.keras.naming": lambda module: module.reset_names(),
    "lamina.keras.policy": _reset_policy,
    "lamina.keras.spelling": lambda module: module.forget_notes(),
}


@pytest.fixture(autouse=True)
def fresh_state():
    """Start from the same seeds and default switches, and forget what a test registers."""
    random.seed(0)
    np.random.seed(0)
    for name, reset in _RESETS.items():
        if name in sys.modules:
            reset(sys.modules[name])
    registry = sys.modules.get("lamina.keras.registry")
    if registry is None:
        yield
        return
    objects = registry.get_custom_objects()
    before = dict(objects)
    yield
    objects.clear()
    objects.update(before)


@pytest.fixture(autouse=True)
def names_of_examples(request):
    """Give docstring examples ``tf`` and ``np`` without an import line."""
    if isinstance(request.node, pytest.DoctestItem):
        import lamina

        request.getfixturevalue("doctest_namespace").update(tf=lamina, np=np)
