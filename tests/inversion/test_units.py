"""Phase in any unit but rad is refused in words, however plausible its numbers; small phase is alike in all units."""

from collections.abc import Callable

import numpy as np
import pytest

from inversion.sources import exam_of, plane_wave, wavenumber
from inversion.test_failures import with_phase
from livermre.exam.errors import InputError
from livermre.exam.types import Exam
from livermre.inversion import invert
from livermre.inversion.unwrapping import foreground

UNITS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "cycles": (lambda p: p / (2 * np.pi), "as cycles do"),
    "half turns": (lambda p: p / np.pi, "as half turns do"),
    "cycles from 0": (lambda p: (p / (2 * np.pi)) % 1, "in cycles from 0 to 1"),
    "rad from 0": (lambda p: p % (2 * np.pi), "as rad counted from 0 do"),
    "degrees": (np.degrees, "as degrees do"),
    "degrees from 0": (lambda p: np.degrees(p) % 360, "as degrees do"),
    "milliradian": (lambda p: 1000 * p, "as thousandths of a rad do"),
    "scanner units": (lambda p: p * 4096 / np.pi, "wrapped phase in rad"),
    "an unknown unit": (lambda p: 0.77 * p / np.pi, "wraps before pi"),
}


def exam(amplitude: float = 2.5, noise_rad: float = 0.05) -> Exam:
    """A wave that wraps, in noise all around it."""
    wave = amplitude * plane_wave(wavenumber(3.0 * np.exp(0.1j)), 0.4)
    return exam_of(wave, np.random.default_rng(3), noise_rad)


def masked(one: Exam) -> Exam:
    """The same with empty air, as some scanners write it."""
    body = foreground(one.slices[0].magnitude)
    return with_phase(one, lambda p: p * body)


@pytest.mark.parametrize("air", ["noise", "empty"])
@pytest.mark.parametrize("unit", UNITS)
def test_another_unit_is_refused_and_named(unit: str, air: str) -> None:
    change, words = UNITS[unit]
    given = exam() if air == "noise" else masked(exam())
    with pytest.raises(InputError, match=words):
        invert(with_phase(given, lambda p: change(p.astype(float)).astype(np.float32)))
    invert(given)  # rad is taken


def test_small_phase_that_never_wraps_gives_the_same_map_in_cycles() -> None:
    """Nothing can tell the unit then, and nothing hangs on it: stiffness knows no amplitude."""
    bare = with_phase(exam(amplitude=0.4, noise_rad=0.01), lambda p: p - 0.4)  # the static phase of `exam_of`
    small = masked(bare)
    rad, cycles = (invert(with_phase(small, lambda p, f=f: p / f)) for f in (1.0, 2 * np.pi))
    sure = rad.exam.confidence >= 0.95
    assert sure.any()
    np.testing.assert_allclose(cycles.stiffness_kpa[sure], rad.stiffness_kpa[sure], rtol=1e-3)
