"""Patients with several exams: no interval of the whole analysis may get narrower because exams were copied."""

import dataclasses
from collections.abc import Iterator, Mapping

import pytest

from livermre.evaluate.interval import Interval
from livermre.evaluate.proportion import Proportion
from livermre.study.analysis import Analysis, analyse
from study.samples import drawn_sample

DRAWS = 200


def intervals(value: object, path: str = "") -> Iterator[tuple[str, Interval | Proportion]]:
    """Every interval and share anywhere in a result, by its place."""
    if isinstance(value, Interval | Proportion):
        yield path, value
    elif dataclasses.is_dataclass(value):
        for f in dataclasses.fields(value):
            yield from intervals(getattr(value, f.name), f"{path}.{f.name}")
    elif isinstance(value, Mapping):
        for key, v in value.items():
            yield from intervals(v, f"{path}[{key}]")
    elif isinstance(value, tuple):
        for i, v in enumerate(value):
            yield from intervals(v, f"{path}[{i}]")


def widths(analysis: Analysis) -> dict[str, float]:
    found = {p: i for p, i in intervals(analysis) if i.low is not None and i.high is not None}
    return {p: i.high - i.low for p, i in found.items()}  # type: ignore[operator]


@pytest.fixture(scope="module")
def once() -> Analysis:
    return analyse(drawn_sample(), drawn_sample(seed=2), "rdes149", DRAWS, 1)


@pytest.fixture(scope="module")
def doubled() -> Analysis:
    return analyse(drawn_sample(copies=2), drawn_sample(seed=2), "rdes149", DRAWS, 1)


def test_an_exam_copied_is_no_second_patient(once: Analysis, doubled: Analysis) -> None:
    single, double = widths(once), widths(doubled)
    for reference in doubled.measurement.values():
        assert (reference.kpa, reference.percent, reference.icc) == (None, None, None)
    shared = [p for p in single if p in double]
    assert len(shared) > 300  # nearly everything has an interval in both
    assert {p.split(".")[1].split("[")[0] for p in shared} >= {"segmentation", "measurement", "staging", "strata"}
    narrower = {p: (single[p], double[p]) for p in shared if double[p] < _LEAST * single[p]}
    assert not narrower, narrower


_LEAST = 0.97
"""A spread over n - 1 shrinks by a little where the same values come twice; a width that knew no patients, to 0.71."""


def test_copies_that_are_called_other_patients_do_narrow_it(once: Analysis) -> None:
    """The measure of the test above: believed, copies would make nearly every interval narrower by a root of two."""
    fooled = analyse(drawn_sample(copies=2, known=False), drawn_sample(seed=2), "rdes149", DRAWS, 1)
    single, double = widths(once), widths(fooled)
    shared = [p for p in single if p in double]
    assert sum(double[p] < 0.95 * single[p] for p in shared) > 0.8 * len(shared)
