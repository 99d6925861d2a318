"""All rows of the conformance table, and how a test asks for those that its property is about."""

import pytest

from tests.conformance.layer_rows import LAYERS
from tests.conformance.other_rows import OTHERS
from tests.conformance.preparing_rows import PREPARING

__all__ = ["HEAVY", "ROWS", "groups", "over", "rows_of"]

ROWS = [*LAYERS, *PREPARING, *OTHERS]

# Programs that compile for a second or more: where a property compiles, these rows are `slow`.
HEAVY = frozenset(
    [
        "AugMix",
        "AutoContrast",
        "CTC",
        "Circle",
        "ContrastLimitedAdaptiveHistogramEqualization",
        "ConvLSTM2D",
        "ConvLSTM3D",
        "CutMix",
        "Equalization",
        "MelSpectrogram",
        "MixUp",
        "Muon",
        "RandAugment",
        "RandomColorDegeneration",
        "RandomColorJitter",
        "RandomElasticTransform",
        "RandomErasing",
        "RandomGaussianBlur",
        "RandomHue",
        "RandomInvert",
        "RandomPerspective",
        "RandomPosterization",
        "RandomRotation",
        "RandomSaturation",
        "RandomSharpness",
        "RandomShear",
        "RandomTranslation",
        "RandomZoom",
        "STFTSpectrogram",
        "Solarization",
    ]
)


def rows_of(property_name, *rooms):
    """Return the rows of some rooms, all by default, that are asked for a property."""
    return [r for r in ROWS if r.holds(property_name) and (not rooms or r.room in rooms)]


def over(property_name, *rooms, compiles=True):
    """Parametrize a test with `case`, one row at a time."""
    return pytest.mark.parametrize(
        "case",
        [
            pytest.param(r, id=r.id, marks=[pytest.mark.slow] if _is_slow(r, compiles) else [])
            for r in rows_of(property_name, *rooms)
        ],
    )


def groups(property_name, *rooms, size=12, compiles=True):
    """Parametrize a test with `cases`: rows by the dozen, which share one compiled program."""
    rows = rows_of(property_name, *rooms)
    found = []
    for slow in (False, True):
        kept = [r for r in rows if _is_slow(r, compiles) == slow]
        marks = [pytest.mark.slow] if slow else []
        for part in (kept[i : i + size] for i in range(0, len(kept), size)):
            found.append(pytest.param(part, id=f"{part[0].id}-{part[-1].id}", marks=marks))
    return pytest.mark.parametrize("cases", found)


def _is_slow(row, compiles):
    return compiles and row.name in HEAVY
