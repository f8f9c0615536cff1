"""A marker against ordered stages: the Obuchowski measure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from livermre.evaluate.inputs import MINIMUM_ROWS, column, complete_rows, normal_quantile
from livermre.evaluate.interval import Interval, not_defined
from livermre.evaluate.placements import placements
from livermre.evaluate.roc import NO_VARIANCE, limits_of_share
from livermre.exam.errors import SettingsError


@dataclass(frozen=True)
class Obuchowski:
    """Weighted mean of the AUROCs of all pairs of stages; None fields have their reason."""

    stages: tuple[float, ...]
    patients: tuple[int, ...]  # of each stage
    left_out: int
    measure: Interval  # logit-transformed
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
    level: float = 0.95,
) -> Obuchowski:
    """Obuchowski's measure of a marker against an ordinal gold standard.

    stage         (N,) ordered numbers such as 0..4, NaN where missing
    score         (N,) float, higher for higher stages; rows with NaN are left out and counted
    distribution  share of each stage in the population aimed at (any positive scale); None: that of the sample
    penalty       "equal": every confusion weighs 1; "linear": by the distance in stages over the longest one (Lambert
                  2008, Clin Chem 54:1372); or an (S, S) array 0..1 for the stages in rising order, upper triangle read

    1 - sum w_st L_st (1 - area_st), w_st = p_s p_t / sum p_s p_t over pairs (Obuchowski 2005, Acad Radiol 12:1198;
    2006, Stat Med 25:481). Its SE is that of the multi-sample U-statistic with fixed weights, DeLong's for two stages.
    Fewer than 5 rows, one stage: measure None. A stage with one patient: SE None.
    Raises Contradiction for unequal lengths, SettingsError for an odd distribution, penalty or level.
    """
    z = normal_quantile(level)
    stages, (scores,), left_out = _rows(stage, [score])
    names, counts = np.unique(stages, return_counts=True)
    n = int(counts.sum())
    shown = (tuple(names.tolist()), tuple(counts.tolist()), left_out)
    why = _too_few(counts)
    if why:
        return Obuchowski(*shown, not_defined(why, n=n))
    weights = _weights(names, counts, distribution, penalty)
    measure, parts = _parts(stages, scores, names, weights)
    variance = _variance(parts)
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
    level: float = 0.95,
) -> ObuchowskiDifference:
    """Paired test of two markers by the Obuchowski measure; arguments as there."""
    z = normal_quantile(level)
    stages, (one, two), _ = _rows(stage, [score_a, score_b])
    names, counts = np.unique(stages, return_counts=True)
    why = _too_few(counts)
    if why:
        return ObuchowskiDifference(not_defined(why, n=int(counts.sum())))
    weights = _weights(names, counts, distribution, penalty)
    a, parts_a = _parts(stages, one, names, weights)
    b, parts_b = _parts(stages, two, names, weights)
    variance = _variance([p - q for p, q in zip(parts_a, parts_b)])
    if variance is None or variance <= NO_VARIANCE:
        return ObuchowskiDifference(not_defined(_flat(variance), n=stages.size, estimate=a - b), a, b)
    se = float(np.sqrt(variance))
    found = Interval(a - b, a - b - z * se, a - b + z * se, method="normal", n=stages.size, level=level)
    return ObuchowskiDifference(found, a, b, se, float(2 * special.ndtr(-abs(a - b) / se)))


def _rows(stage: np.ndarray | Sequence, scores: list) -> tuple[np.ndarray, list[np.ndarray], int]:
    stages, columns = column(stage, "stage"), [column(s, "score") for s in scores]
    keep = complete_rows(stages, *columns, names="stages and scores")
    return stages[keep], [c[keep] for c in columns], int((~keep).sum())


def _too_few(counts: np.ndarray) -> str | None:
    if counts.sum() < MINIMUM_ROWS:
        return f"fewer than {MINIMUM_ROWS} rows with score and stage: found {counts.sum()}"
    return "only one stage: nothing to tell apart" if counts.size < 2 else None


def _flat(variance: float | None) -> str:
    if variance is None:
        return "a stage with a single patient has no variance to estimate"
    return "the scores leave no variance (equal, or stages perfectly apart): no interval can be estimated"


def _weights(
    names: np.ndarray, counts: np.ndarray, distribution: dict[float, float] | None, penalty: np.ndarray | Sequence | str
) -> np.ndarray:
    """(S, S) w_st L_st above the diagonal, 0 elsewhere."""
    share = counts.astype(float)
    if distribution is not None:
        missing = [f"{n:g}" for n in names if not distribution.get(float(n), 0) > 0]
        if missing:
            raise SettingsError(f"the distribution needs a positive share of every stage seen, none for {missing[0]}")
        share = np.array([distribution[float(n)] for n in names])
    pairs = np.triu(np.outer(share, share), 1)
    return pairs / pairs.sum() * _penalty(names, penalty)


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


def _variance(parts: list[np.ndarray]) -> float | None:
    if min(p.size for p in parts) < 2:
        return None
    return float(sum(p.var(ddof=1) / p.size for p in parts))
