"""One exam's scores by formula, its outcome by rule, and both through JSON and back."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from livermre.study.entry import Entry, Reference, entry_from
from livermre.study.measuring import read_exam
from livermre.study.outcomes import outcome_of
from livermre.study.reading import Loaded
from livermre.study.scores import Reading, compare_exam, compare_region, reading_from, slice_spacing_mm
from livermre.study.settings import StudySettings
from study.phantoms import STAGE_KPA, Phantom, exam_of, liver_of


def rectangles() -> tuple[np.ndarray, np.ndarray]:
    """A 10 x 10 truth, found 2 pixels to the right; the second slice holds only the truth."""
    true, found = np.zeros((2, 30, 30), bool), np.zeros((2, 30, 30), bool)
    true[:, 5:15, 5:15] = True
    found[0, 5:15, 7:17] = True
    return found, true


def test_a_shifted_square_by_formula() -> None:
    whole, slices = compare_exam(*rectangles(), (10.0, 2.0, 2.0), 3.9)
    assert slices[0].overlap.dice == pytest.approx(0.8)
    assert (slices[0].unit, slices[0].true) == ("mm2", 400.0)
    assert slices[0].hd95_mm == pytest.approx(4.0)
    assert slices[1].overlap.dice == 0.0
    assert slices[1].hd95_mm is None
    assert whole.overlap.dice == pytest.approx(2 * 80 / 300)
    assert (whole.unit, whole.true) == ("mm3", 8000.0)
    assert compare_region(*rectangles(), (1.0, 1.0, 1.0)).overlap.iou == pytest.approx(80 / 220)


def test_distance_of_slices() -> None:
    assert slice_spacing_mm((0.0, 10.0, 20.0), 5.0) == 10.0
    assert slice_spacing_mm((3.0,), 8.0) == 8.0


def test_readings_and_entries_come_back_from_json() -> None:
    whole, slices = compare_exam(*rectangles(), (10.0, 2.0, 2.0), 2.0)
    reading = Reading("a", whole, slices, whole, {"edge": 0.1, "vessel": None}, 2.5, (2.0, 3.0), 9.0, ("x",), "")
    assert reading_from(json.loads(json.dumps(asdict(reading)))) == reading
    assert reading_from(json.loads(json.dumps(asdict(Reading("b", error="no"))))) == Reading("b", error="no")
    entry = Entry(
        "a", "p", True, {"stage": "F1", "bmi": 24.0}, slices=2, shape=(2, 30, 30), spacing_mm=(2.0, 2.0),
        pixels=("x", "y"), reference=Reference(2.0, (), (1.9, None), 2.1, None),
    )  # fmt: skip
    assert entry_from(json.loads(json.dumps(entry.as_dict()))) == entry


@pytest.mark.parametrize(
    ("reading", "reference", "outcome"),
    [
        (Reading("a", kpa=2.0), Reference(2.0), "measured"),
        (Reading("a", blocking=("no_waves",)), Reference(None, ("no_waves",)), "acquisition"),
        (Reading("a", blocking=("no_map",)), Reference(None, ("no_map",)), "acquisition"),
        (Reading("a", blocking=("too_little_area",)), Reference(None, ("too_little_area",)), "quality_control"),
        (Reading("a", blocking=("interval_too_wide",)), Reference(2.0), "quality_control"),
        (Reading("a", blocking=("too_little_area",)), Reference(2.0), "software"),
        (Reading("a", blocking=("no_waves",)), Reference(2.0), "software"),  # the outline lay elsewhere
        (Reading("a", error="it fell over"), Reference(2.0), "software"),
        (Reading("a", error="there is no prediction"), Reference(None, ("no_waves",)), "software"),
        (Reading("a"), Reference(None, table_kpa=3.0), "software"),  # a reader gave a number without a map here
    ],
)
def test_how_an_exam_ended(reading: Reading, reference: Reference, outcome: str) -> None:
    assert outcome_of(reading, reference) == outcome


class _Exact:
    """Outlines the reference itself, or nothing."""

    def __init__(self, liver: np.ndarray) -> None:
        self.liver = liver

    def segment(self, exam):  # type: ignore[no-untyped-def]
        from livermre.exam.types import LiverMask

        return LiverMask(self.liver.astype(np.float32), self.liver, None)


def test_the_reference_itself_scores_one_and_measures_the_known_stiffness() -> None:
    phantom = Phantom("a", "a", "F3")
    loaded = Loaded(exam_of(phantom), liver_of(phantom))
    reading, outline = read_exam("a", loaded, _Exact(loaded.liver), StudySettings())  # type: ignore[arg-type]
    assert reading.whole is not None
    assert reading.region is not None
    assert (reading.whole.overlap.dice, reading.whole.hd95_mm, reading.region.overlap.dice) == (1.0, 0.0, 1.0)
    assert reading.kpa == pytest.approx(STAGE_KPA["F3"], rel=0.01)
    assert reading.interval_95 is not None
    assert reading.interval_95[0] < STAGE_KPA["F3"] < reading.interval_95[1]
    assert set(reading.purity.values()) == {0.0}
    assert (outline == loaded.liver).all()


def test_a_region_outside_the_reference_is_not_pure() -> None:
    phantom = Phantom("a", "a", "F3")
    loaded = Loaded(exam_of(phantom), liver_of(phantom))
    far = np.roll(loaded.liver, 8, axis=2)
    reading, _ = read_exam("a", loaded, _Exact(far), StudySettings())  # type: ignore[arg-type]
    assert reading.purity["outside the liver"] > 0.2  # type: ignore[operator]
    nothing, _ = read_exam("a", loaded, _Exact(np.zeros_like(far)), StudySettings())  # type: ignore[arg-type]
    assert nothing.kpa is None
    assert "no_liver" in nothing.blocking
    assert nothing.whole is not None
    assert nothing.whole.overlap.dice == 0.0
