"""The comparison says how many exams each row stands on and what either network failed at; goals, how sure they are."""

from dataclasses import replace

import numpy as np
import pytest

from livermre.evaluate.empty import RULE
from livermre.evaluate.interval import Interval, not_defined
from livermre.study.arms import Arm
from livermre.study.comparing import versus, versus_table
from livermre.study.results import _seeds_table
from livermre.study.sample import Sample
from livermre.study.scores import MaskScore
from livermre.study.segmentation import mean_of, segmentation, segmentation_table
from livermre.study.strata import strata
from livermre.study.writing.goals import Goal
from study.samples import drawn_sample


def without_number(sample: Sample, exams: set[int]) -> Sample:
    """The sample with some exams not measured."""
    readings = [replace(r, kpa=None, interval_95=None) if i in exams else r for i, r in enumerate(sample.readings)]
    return replace(sample, readings=tuple(readings))


def arm(network: str, seed: int, sample: Sample) -> Arm:
    return Arm(network, seed, {"test": sample}, (), None)


def test_every_row_says_how_many_exams_it_compares_and_what_was_lost() -> None:
    """Exams 0 and 1 fail in the first network (1 only with its second seed), 1 and 2 in the second."""
    sample = drawn_sample(40, lost=0)
    first = [arm("a", 1, without_number(sample, {0})), arm("a", 2, without_number(sample, {0, 1}))]
    second = [arm("b", 1, without_number(sample, {1, 2}))]
    table = versus_table(versus(first, second, first[0], second[0], "test", 60, 1))
    at = {name: i for i, name in enumerate(table.columns)}
    rows = {row[0]: [row[at[c]] for c in ("exams", "no value: first", "second", "both")] for row in table.rows}
    assert rows["Dice"] == [40, 0, 0, 0]
    assert rows["|difference| to the reference, %"] == [37, 1, 1, 1]
    assert rows["measured"] == [40, 0, 0, 0]
    for name in ("AUROC ≥ F2", "Obuchowski"):  # of the arms that stand for the networks: one fails 0, the other 1 and 2
        assert rows[name] == [37, 1, 2, 0]
    measured = next(row for row in table.rows if row[0] == "measured")
    difference = measured[at["mean difference"]]
    assert isinstance(difference, Interval)
    assert difference.estimate == pytest.approx((38.5 - 38) / 40)
    assert "out of 40" in table.note
    assert "“measured”" in table.note


def with_empty(sample: Sample) -> Sample:
    """Exam 0 empty in both masks, exam 1 in the reference alone."""
    masks = {0: MaskScore(0.0, 0.0, 0.0, "mm3"), 1: MaskScore(0.0, 50.0, 0.0, "mm3", surface_dice=0.0)}
    readings = [replace(r, whole=masks.get(i, r.whole)) for i, r in enumerate(sample.readings)]
    return replace(sample, readings=tuple(readings))


def test_one_rule_for_empty_masks_in_all_tables() -> None:
    sample = with_empty(drawn_sample(40, lost=0))
    dice = [r.whole.overlap.dice for r in sample.readings[2:] if r.whole]
    expected = sum(d for d in dice if d is not None) / 39  # exam 1 counts as 0, exam 0 not at all
    found = segmentation(sample, 60, 1)
    assert found.exam["Dice"].mean.estimate == pytest.approx(expected)
    assert (found.exam["Dice"].scores, found.exam["Dice"].undefined) == (39, 1)
    one = arm("a", 1, sample)

    class Settings:
        draws, split_seed = 60, 1

    class Record:
        settings = Settings()

    runs = _seeds_table([one], {"a": one}, Record())  # type: ignore[arg-type]
    assert runs.rows[0][2].estimate == pytest.approx(expected)  # type: ignore[union-attr]
    pair = versus_table(versus([one], [one], one, one, "test", 60, 1))
    assert pair.rows[0][:5] == ("Dice", 39, 0, 0, 1)
    vendor = next(s for s in strata(sample, 60, 1) if s.name == "GE")  # even exams, 0 among them
    assert vendor.dice is not None
    assert vendor.dice.estimate == pytest.approx(np.mean(dice[::2]))
    for table in (runs, segmentation_table({"a": found}, "exam", ""), segmentation_table({"a": found}, "slice", "")):
        assert RULE in table.note
    assert mean_of(np.array([np.nan]), ["a"], 60, 1).estimate is None


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Interval(0.95, 0.92, 0.97), "0.950 (0.920 to 0.970): reached"),
        (Interval(0.95, 0.88, 0.97), "0.950 (0.880 to 0.970): reached by the estimate, but the interval holds worse"),
        (
            Interval(0.95, None, None, reason="an interval needs at least 5 patients, found 4"),
            "0.950 (no interval): reached by the estimate; without an interval (an interval needs at least 5 patients, "
            "found 4) not certain",
        ),
        (Interval(0.85, None, None, reason="few"), "0.850 (no interval): not reached"),
        (not_defined("no rows"), "–: cannot be told"),
        (None, "–: cannot be told"),
    ],
)
def test_what_a_goal_says(found: Interval | None, words: str) -> None:
    goal = Goal("at least 0.9", lambda _: found, lambda v: v >= 0.9)
    assert goal.verdict(None) == words  # type: ignore[arg-type]


def test_a_goal_by_the_lower_end_needs_one() -> None:
    goal = Goal("at least 0.9", lambda _: Interval(0.95, None, None), lambda v: v >= 0.9, "low")
    assert goal.verdict(None) == "0.950 (no interval): cannot be told"  # type: ignore[arg-type]
