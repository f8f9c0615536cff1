"""Rule in above one cut-off, rule out below another, say nothing in between."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.inputs import binary, column, complete_rows
from livermre.evaluate.proportion import Proportion, proportion
from livermre.exam.errors import SettingsError


@dataclass(frozen=True)
class TwoThresholds:
    """Six counts and their shares; a patient is ruled out below one cut-off and in at or above the other."""

    rule_out_below: float
    rule_in_from: float
    left_out: int  # rows with a missing score or truth
    positives: tuple[int, int, int]  # ruled out (missed), indeterminate, ruled in
    negatives: tuple[int, int, int]  # ruled out, indeterminate, ruled in (wrongly)
    npv_ruled_out: Proportion  # negatives among the ruled out
    ppv_ruled_in: Proportion  # positives among the ruled in
    sensitivity_of_rule_out: Proportion  # positives that are not ruled out
    specificity_of_rule_in: Proportion  # negatives that are not ruled in
    indeterminate: Proportion  # of all
    correct_when_decided: Proportion
    wrong: Proportion  # of all


def two_thresholds(
    positive: np.ndarray | Sequence,
    score: np.ndarray | Sequence,
    *,
    rule_out_below: float,
    rule_in_from: float,
    level: float = 0.95,
    method: str = "wilson",
) -> TwoThresholds:
    """The table of a rule-out and a rule-in cut-off, both declared before these data were seen.

    positive  (N,) 0, 1 or NaN;  score  (N,) float or NaN, the unit of the cut-offs

    Raises Contradiction for unequal lengths, SettingsError for cut-offs in the wrong order.
    """
    if not (np.isfinite(rule_out_below) and np.isfinite(rule_in_from) and rule_out_below <= rule_in_from):
        raise SettingsError(
            f"the rule-out cut-off may not lie above the rule-in cut-off, found {rule_out_below} and {rule_in_from}"
        )
    truth, scores = binary(positive, "positive"), column(score, "score")
    keep = complete_rows(truth, scores, names="truth and scores")
    truth, zone = truth[keep] == 1, np.digitize(scores[keep], [rule_out_below, rule_in_from])
    sick, well = _counts(zone[truth]), _counts(zone[~truth])
    everybody, decided = truth.size, truth.size - sick[1] - well[1]

    def share(count: int, total: int) -> Proportion:
        return proportion(count, total, level=level, method=method)

    return TwoThresholds(
        rule_out_below=float(rule_out_below),
        rule_in_from=float(rule_in_from),
        left_out=int((~keep).sum()),
        positives=sick,
        negatives=well,
        npv_ruled_out=share(well[0], well[0] + sick[0]),
        ppv_ruled_in=share(sick[2], sick[2] + well[2]),
        sensitivity_of_rule_out=share(sick[1] + sick[2], sum(sick)),
        specificity_of_rule_in=share(well[0] + well[1], sum(well)),
        indeterminate=share(sick[1] + well[1], everybody),
        correct_when_decided=share(well[0] + sick[2], decided),
        wrong=share(sick[0] + well[2], everybody),
    )


def _counts(zone: np.ndarray) -> tuple[int, int, int]:
    out, between, into = np.bincount(zone, minlength=3).tolist()
    return out, between, into
