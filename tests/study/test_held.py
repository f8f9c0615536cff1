"""Coverage of a known truth by stratum, and the half width that it would take."""

from dataclasses import replace

import numpy as np
import pytest

from livermre.study.held import TRUTH, held
from livermre.study.sample import numbers
from livermre.study.trust import coverage_table, trust
from study.samples import drawn_sample


def ends(sample) -> tuple[np.ndarray, np.ndarray]:
    return tuple(numbers(r.interval_95[i] if r.interval_95 else None for r in sample.readings) for i in (0, 1))


def test_the_half_width_that_it_takes_is_the_conformal_quantile() -> None:
    # by hand: the 57th or so smallest |ln true - ln measured| of those with a number, and not of all
    sample = drawn_sample(60)
    all_of_them = held(sample, *ends(sample))[0]
    off = np.sort(np.abs(np.log(sample.references[TRUTH] / sample.kpa)))
    off = off[np.isfinite(off)]
    rank = int(np.ceil((off.size + 1) * 0.95))
    assert (all_of_them.by, all_of_them.patients) == ("all", 60)
    assert all_of_them.needed.quantile == pytest.approx(off[rank - 1])
    assert all_of_them.given == pytest.approx(np.log(1.05 / 0.96) / 2)
    inside = np.isfinite(sample.kpa) & (np.abs(np.log(sample.references[TRUTH] / sample.kpa)) < 1)
    low, high = ends(sample)
    truth = sample.references[TRUTH]
    assert all_of_them.inside.inside.count == int(np.sum((low <= truth) & (truth <= high)))
    assert all_of_them.inside.inside.total == int(inside.sum())


def test_strata_part_the_exams_and_say_what_they_cannot() -> None:
    found = held(drawn_sample(60), *ends(drawn_sample(60)))
    for by in ("stage", "vendor"):
        assert sum(h.patients for h in found if h.by == by) == 60
    measured = [h for h in found if h.by == "measured, kPa"]
    assert [h.name for h in measured][:4] == ["< 2.5", "2.5-3.5", "3.5-5", ">= 5"]
    small = next(h for h in found if h.by == "stage")
    assert small.needed.quantile is None and "at least 19" in small.needed.reason  # twelve patients of a stage


def test_copies_of_an_exam_need_no_wider_interval_and_prove_nothing() -> None:
    # catches: rows taken for patients, which would make 12 patients enough for a quantile
    copied = drawn_sample(12, copies=3, lost=0.0)
    whole = held(copied, *ends(copied))[0]
    assert (whole.patients, whole.needed.patients, whole.needed.quantile) == (12, 12, None)


def test_without_a_truth_there_is_nothing_to_hold() -> None:
    sample = drawn_sample(20)
    unknown = replace(
        sample, entries=tuple(replace(e, reference=replace(e.reference, true_kpa=None)) for e in sample.entries)
    )
    assert held(unknown, *ends(unknown)) == ()


def test_the_table_shows_every_stratum() -> None:
    made = coverage_table({"net": trust(drawn_sample(100), 50, 1)}, "coverage")
    names = [row[2] for row in made.rows]
    assert names.count("all exams") == 4  # reference mask, two readers, the truth
    assert {"stage: F0", "stage: F4", "vendor: GE", "measured, kPa: >= 5"} <= set(names)
    whole = next(r for r in made.rows if r[1] == TRUTH and r[2] == "all exams")
    assert whole[8] == pytest.approx(100 * (np.sqrt(1.05 / 0.96) - 1)) and whole[9] > 3
    assert all(len(r) == len(made.columns) for r in made.rows)
