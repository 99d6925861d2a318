"""Fixtures of the tests; seeds and the clean start are in the ``conftest.py`` above."""

from pathlib import Path

import hypothesis
import pytest

# The first example of a shape compiles, which takes longer than hypothesis' deadline allows.
hypothesis.settings.register_profile("lamina", deadline=None, derandomize=True)
hypothesis.settings.load_profile("lamina")

_SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder with golden values and programs that may lie beside the checkout."""
    if not _SHARED.is_dir():
        pytest.skip(f"no {_SHARED.name}/ beside the checkout: golden values are not at hand")
    return _SHARED
