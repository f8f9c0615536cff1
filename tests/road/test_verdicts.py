"""A verdict on the phase reaches the scanner's map, which was made of the same offsets."""

from dataclasses import replace

import numpy as np

from livermre.exam.flags import Severity
from livermre.exam.types import Exam
from livermre.from_phase import inverted, with_confidence
from livermre.inversion import InversionSettings
from road.test_from_phase import bare, wave_exam


def reordered(exam: Exam, order: list[int]) -> Exam:
    return replace(exam, slices=tuple(replace(s, phase_rad=s.phase_rad[:, :, order]) for s in exam.slices))


def test_offsets_out_of_order_take_the_value_from_the_scanners_map_too() -> None:
    wrong = reordered(bare(wave_exam(vendor=True)), [1, 0, 2, 3])
    own = with_confidence(wrong, InversionSettings())
    told = {f.code: f for f in own.flags}
    assert not own.confidence.any() and np.isnan(own.stiffness_kpa).all()
    assert told["phase_offsets_out_of_order"].severity == Severity.WARNING
    assert "in the order 1, 2, 4, 3." in told["phase_offsets_out_of_order"].message
    assert "phase_contradicts_map" in told


def test_our_own_map_of_the_same_phase_is_blocked() -> None:
    made = inverted(reordered(wave_exam(), [1, 0, 2, 3]), InversionSettings())
    told = {f.code: f for f in made.exam.flags}
    assert told["phase_offsets_out_of_order"].severity == Severity.BLOCKING
    assert np.isnan(made.exam.stiffness_kpa).all() and not made.exam.confidence.any()
    assert made.waves.wave_rad.any()  # for people to look at


def test_how_the_components_were_joined_is_recorded() -> None:
    assert inverted(wave_exam(), InversionSettings()).exam.inversion["components"] == "one"
