"""A marker against ordered stages: the Obuchowski measure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from livermre.evaluate.inputs import MINIMUM_ROWS, column, complete_rows, normal_quantile, owners
from livermre.evaluate.interval import Interval, not_defined
from livermre.evaluate.ordinal_spread import drawn_measure, variance_of
from livermre.evaluate.placements import placements
from livermre.evaluate.roc import NO_VARIANCE, limits_of_share
from livermre.exam.errors import SettingsError


@dataclass(frozen=True)
class Obuchowski:
    """Weighted mean of the AUROCs of all pairs of stages; None fields have their reason."""

    stages: tuple[float, ...]
    patients: tuple[int, ...]  # of each stage
    left_out: int
    measure: Interval  # logit-transformed, or a bootstrap over patients where they are named
    se: float | None = None


@dataclass(frozen=True)
class ObuchowskiDifference:
    """Two markers of the same patients: measure a minus measure b."""

    difference: Interval
    a: float | None = None
    b: float | None = None
    se: float | None = None  # of the difference
    p: float | None = None  # two-sided


def obuchowski(
    stage: np.ndarray | Sequence,
    score: np.ndarray | Sequence,
    *,
    distribution: dict[float, float] | None = None,
    penalty: np.ndarray | Sequence | str = "equal",
    patient: np.ndarray | Sequence | None = None,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Obuchowski:
    """Obuchowski's measure of a marker against an ordinal gold standard.

    stage         (N,) ordered numbers such as 0..4, NaN where missing
    score         (N,) float, higher for higher stages; rows with NaN are left out and counted
    distribution  share of each stage in the population aimed at (any positive scale); None: that of the sample
    penalty       "equal": every confusion weighs 1; "linear": by the distance in stages over the longest one (Lambert
                  2008, Clin Chem 54:1372); or an (S, S) array 0..1 for the stages in rising order, upper triangle read
    patient       (N,) names: the interval is then a bootstrap over patients with the weights of the whole sample (of
                  the stages that a resample has), and the SE sums each patient's rows; None: each row a patient

    1 - sum w_st L_st (1 - area_st), w_st = p_s p_t / sum p_s p_t over pairs (Obuchowski 2005, Acad Radiol 12:1198;
    2006, Stat Med 25:481). Its SE is that of the multi-sample U-statistic with fixed weights, DeLong's for two stages.
    Fewer than 5 rows, one stage: measure None. A stage with one patient: SE None.
    Raises Contradiction for unequal lengths, SettingsError for an odd distribution, penalty or level.
    """
    z = normal_quantile(level)
    stages, (scores,), owner, left_out = _rows(stage, [score], patient)
    names, counts = np.unique(stages, return_counts=True)
    n = int(counts.sum())
    shown = (tuple(names.tolist()), tuple(counts.tolist()), left_out)
    why = _too_few(counts)
    if why:
        return Obuchowski(*shown, not_defined(why, n=n))
    share, loss = _weights(names, counts, distribution), _penalty(names, penalty)
    measure, parts = _parts(stages, scores, names, share * loss)
    variance = variance_of(parts, stages, names, owner)
    if patient is not None:
        drawn = drawn_measure(stages, [scores], names, share, loss, owner, draws, seed, level)
        return Obuchowski(*shown, drawn, None if variance is None else float(np.sqrt(variance)))
    if variance is None or variance <= NO_VARIANCE or not 0 < measure < 1:
        return Obuchowski(*shown, not_defined(_flat(variance), n=n, estimate=measure))
    se = float(np.sqrt(variance))
    low, high = limits_of_share(measure, se, z, "logit")
    return Obuchowski(*shown, Interval(measure, low, high, method="logit", n=n, level=level), se)


def compare_obuchowski(
    stage: np.ndarray | Sequence,
    score_a: np.ndarray | Sequence,
    score_b: np.ndarray | Sequence,
    *,
    distribution: dict[float, float] | None = None,
    penalty: np.ndarray | Sequence | str = "equal",
    patient: np.ndarray | Sequence | None = None,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> ObuchowskiDifference:
    """Paired test of two markers by the Obuchowski measure; arguments as there.

    p is that of difference over SE; patients that are named are drawn for the interval, both markers with them.
    """
    z = normal_quantile(level)
    stages, (one, two), owner, _ = _rows(stage, [score_a, score_b], patient)
    names, counts = np.unique(stages, return_counts=True)
    why = _too_few(counts)
    if why:
        return ObuchowskiDifference(not_defined(why, n=int(counts.sum())))
    share, loss = _weights(names, counts, distribution), _penalty(names, penalty)
    a, parts_a = _parts(stages, one, names, share * loss)
    b, parts_b = _parts(stages, two, names, share * loss)
    variance = variance_of([p - q for p, q in zip(parts_a, parts_b)], stages, names, owner)
    if variance is None or variance <= NO_VARIANCE:
        return ObuchowskiDifference(not_defined(_flat(variance), n=stages.size, estimate=a - b), a, b)
    se = float(np.sqrt(variance))
    found = Interval(a - b, a - b - z * se, a - b + z * se, method="normal", n=stages.size, level=level)
    if patient is not None:
        found = drawn_measure(stages, [one, two], names, share, loss, owner, draws, seed, level)
    return ObuchowskiDifference(found, a, b, se, float(2 * special.ndtr(-abs(a - b) / se)))


def _rows(
    stage: np.ndarray | Sequence, scores: list, patient: np.ndarray | Sequence | None
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray, int]:
    stages, columns = column(stage, "stage"), [column(s, "score") for s in scores]
    keep = complete_rows(stages, *columns, names="stages and scores")
    return stages[keep], [c[keep] for c in columns], owners(patient, keep), int((~keep).sum())


def _too_few(counts: np.ndarray) -> str | None:
    if counts.sum() < MINIMUM_ROWS:
        return f"fewer than {MINIMUM_ROWS} rows with score and stage: found {counts.sum()}"
    return "only one stage: nothing to tell apart" if counts.size < 2 else None


def _flat(variance: float | None) -> str:
    if variance is None:
        return "a stage with a single patient has no variance to estimate"
    return "the scores leave no variance (equal, or stages perfectly apart): no interval can be estimated"


def _weights(names: np.ndarray, counts: np.ndarray, distribution: dict[float, float] | None) -> np.ndarray:
    """(S, S) w_st above the diagonal, 0 elsewhere."""
    share = counts.astype(float)
    if distribution is not None:
        missing = [f"{n:g}" for n in names if not distribution.get(float(n), 0) > 0]
        if missing:
            raise SettingsError(f"the distribution needs a positive share of every stage seen, none for {missing[0]}")
        share = np.array([distribution[float(n)] for n in names])
    pairs = np.triu(np.outer(share, share), 1)
    return pairs / pairs.sum()


def _penalty(names: np.ndarray, penalty: np.ndarray | Sequence | str) -> np.ndarray:
    if isinstance(penalty, str):
        if penalty not in ("equal", "linear"):
            raise SettingsError(f"a penalty is equal, linear or an array, found {penalty}")
        distance = np.abs(names[:, None] - names[None, :])
        return np.ones_like(distance) if penalty == "equal" else distance / distance.max()
    given = np.asarray(penalty, dtype=float)
    if given.shape != (names.size, names.size) or not np.all((given >= 0) & (given <= 1)):
        raise SettingsError(f"a penalty array is {names.size} x {names.size} within 0..1, found shape {given.shape}")
    return given


def _parts(
    stages: np.ndarray, scores: np.ndarray, names: np.ndarray, weights: np.ndarray
) -> tuple[float, list[np.ndarray]]:
    """The measure, and for each stage each patient's part in it (n_s,): the components of the U-statistic."""
    groups = [scores[stages == n] for n in names]
    parts = [np.zeros(g.size) for g in groups]
    lost = 0.0
    for low in range(names.size):
        for high in range(low + 1, names.size):
            above, below = placements(groups[high], groups[low])
            weight = weights[low, high]
            parts[high] += weight * above
            parts[low] += weight * below
            lost += weight * (1 - above.mean())
    return float(1 - lost), parts
