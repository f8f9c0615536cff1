"""Obuchowski measure by pairs and jackknife; kappa against published tables and statsmodels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from livermre.evaluate.kappa import confusion, kappa, kappa_of_counts
from livermre.evaluate.ordinal import compare_obuchowski, obuchowski
from livermre.evaluate.roc import auroc, compare_auroc
from livermre.exam.errors import Contradiction, SettingsError

# Agresti 1990 from Hout, Duncan and Sobel 1987: 91 couples, four ordered answers of husband and wife
COUPLES = np.array([[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]])
SHARES = {0.0: 0.3, 1.0: 0.25, 2.0: 0.2, 3.0: 0.15, 4.0: 0.1}


def cohort(seed: int = 0, n: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stages 0..4, all present, and two correlated markers with ties."""
    rng = np.random.default_rng(seed)
    stage = np.concatenate([np.arange(5), np.arange(5), rng.integers(0, 5, n - 10)]).astype(float)
    score = np.round(stage + rng.normal(0, 1.5, n), 1)
    return stage, score, np.round(score + rng.normal(0, 1.5, n), 1)


def by_pairs(stage: np.ndarray, score: np.ndarray, shares: dict[float, float], linear: bool) -> float:
    """1 - weighted loss, patient pair by patient pair."""
    names = sorted(set(stage))
    lost = total = 0.0
    for i, s in enumerate(names):
        for t in names[i + 1 :]:
            area = (1 + np.sign(np.subtract.outer(score[stage == t], score[stage == s])).mean()) / 2
            weight = shares[s] * shares[t]
            lost += weight * ((t - s) / (names[-1] - names[0]) if linear else 1.0) * (1 - area)
            total += weight
    return 1 - lost / total


def test_equal_penalty_and_own_distribution_is_the_concordance_of_all_pairs_of_different_stage() -> None:
    stage, score, _ = cohort()
    wins = [
        (score[i] > score[j]) + 0.5 * (score[i] == score[j])
        for i in range(stage.size)
        for j in range(stage.size)
        if stage[i] > stage[j]
    ]
    found = obuchowski(stage, score)
    assert found.measure.estimate == pytest.approx(np.mean(wins))
    assert found.stages == (0, 1, 2, 3, 4) and sum(found.patients) == 60


@pytest.mark.parametrize("linear", [False, True])
def test_stated_distribution_and_penalty(linear: bool) -> None:
    stage, score, _ = cohort(1)
    found = obuchowski(stage, score, distribution=SHARES, penalty="linear" if linear else "equal")
    assert found.measure.estimate == pytest.approx(by_pairs(stage, score, SHARES, linear))


def test_a_given_penalty_is_read_above_its_diagonal() -> None:
    stage, score, _ = cohort(2)
    distance = np.abs(np.subtract.outer(np.arange(5), np.arange(5))) / 4
    found = obuchowski(stage, score, distribution=SHARES, penalty=np.triu(distance))
    assert found.measure == obuchowski(stage, score, distribution=SHARES, penalty="linear").measure


@pytest.mark.parametrize("penalty", ["equal", "linear"])
def test_se_is_the_jackknife_over_the_patients_of_each_stage(penalty: str) -> None:
    """With fixed weights the measure is linear in each stage's patients, so both are equal, not only close."""
    stage, score, other = cohort(3)

    def value(marker: np.ndarray, left: int | None = None) -> float:
        keep = np.arange(stage.size) != left
        return by_pairs(stage[keep], marker[keep], SHARES, penalty == "linear")

    def jackknife(values: np.ndarray) -> float:
        parts = [values[stage == s] for s in range(5)]
        return float(sum((p.size - 1) / p.size * ((p - p.mean()) ** 2).sum() for p in parts))

    without = np.array([value(score, i) for i in range(stage.size)])
    found = obuchowski(stage, score, distribution=SHARES, penalty=penalty)
    assert found.se == pytest.approx(np.sqrt(jackknife(without)))
    gap = without - np.array([value(other, i) for i in range(stage.size)])
    paired = compare_obuchowski(stage, score, other, distribution=SHARES, penalty=penalty)
    assert paired.difference.estimate == pytest.approx(value(score) - value(other))
    assert paired.se == pytest.approx(np.sqrt(jackknife(gap)))


def test_two_stages_are_an_ordinary_auroc() -> None:
    stage, score, other = cohort(4)
    two = stage < 2
    area = auroc(stage[two] == 1, score[two])
    found = obuchowski(stage[two], score[two])
    assert found.se == pytest.approx(area.se)
    assert (found.measure.estimate, found.measure.low, found.measure.high) == pytest.approx(
        (area.area.estimate, area.area.low, area.area.high)
    )
    paired, known = (
        compare_obuchowski(stage[two], score[two], other[two]),
        compare_auroc(stage[two] == 1, score[two], other[two]),
    )
    assert paired.p == pytest.approx(known.p)


def test_stages_perfectly_apart_few_patients_and_one_stage_are_said() -> None:
    stage = np.repeat([0.0, 1.0, 2.0], 3)
    perfect = obuchowski(stage, np.arange(9.0))
    assert (
        perfect.measure.estimate == 1 and perfect.measure.low is None and "no variance" in str(perfect.measure.reason)
    )
    assert obuchowski(stage[:4], np.arange(4.0)).measure.estimate is None
    one = obuchowski(np.ones(8), np.arange(8.0)).measure
    assert one.estimate is None and "only one stage" in str(one.reason)
    single = obuchowski([0, 0, 0, 1, 1, 4], [1, 3, 2, 2.5, 4, 3.5]).measure
    assert single.estimate is not None and single.low is None and "single patient" in str(single.reason)
    holed = obuchowski([0, 0, 1, 1, np.nan, 1], [1, 2, 1.5, 3, 4, np.nan])
    assert holed.left_out == 2 and holed.measure.estimate is None
    same = compare_obuchowski(*[cohort()[i] for i in (0, 1, 1)])
    assert same.difference.estimate == 0 and same.p is None


def test_wrong_weights_are_refused_in_words() -> None:
    stage, score, _ = cohort()
    with pytest.raises(SettingsError, match="none for 4"):
        obuchowski(stage, score, distribution={0.0: 1, 1.0: 1, 2.0: 1, 3.0: 1})
    with pytest.raises(SettingsError, match="equal, linear or an array"):
        obuchowski(stage, score, penalty="quadratic")
    with pytest.raises(SettingsError, match="5 x 5"):
        obuchowski(stage, score, penalty=np.ones((4, 4)))
    with pytest.raises(Contradiction, match="one length"):
        obuchowski(stage, score[:-1])


def test_published_kappa_of_the_couples() -> None:
    """R's vcd prints 0.1293 (ASE 0.06860) unweighted and 0.2374 (ASE 0.07832) with equal-spacing weights."""
    plain, linear = kappa_of_counts(COUPLES, weights="none"), kappa_of_counts(COUPLES, weights="linear")
    assert (plain.kappa.estimate, plain.se) == pytest.approx((0.1293, 0.06860), abs=5e-5)
    assert (linear.kappa.estimate, linear.se) == pytest.approx((0.2374, 0.07832), abs=5e-5)


@given(st.lists(st.integers(0, 9), min_size=16, max_size=16).filter(lambda c: sum(c) >= 5))
@settings(max_examples=40, deadline=None)
def test_kappa_and_its_se_are_those_of_statsmodels(cells: list[int]) -> None:
    table = np.array(cells).reshape(4, 4) + np.diag([1, 1, 0, 0]) + np.eye(4, k=1, dtype=int)
    for ours, theirs in (("none", None), ("linear", "linear"), ("quadratic", "quadratic")):
        found, known = kappa_of_counts(table, weights=ours), cohens_kappa(table, wt=theirs)
        assert found.kappa.estimate == pytest.approx(known.kappa)
        assert found.se == pytest.approx(known.std_kappa)


def test_quadratic_kappa_forgives_near_misses_and_weights_can_be_given() -> None:
    reference = np.repeat([0, 1, 2, 3, 4], 6)
    near = np.where(np.arange(30) % 3 == 0, np.minimum(reference + 1, 4), reference)
    quadratic, none = kappa(reference, near), kappa(reference, near, weights="none")
    assert quadratic.kappa.estimate is not None and none.kappa.estimate is not None
    assert quadratic.kappa.estimate > 0.9 > 0.75 > none.kappa.estimate
    given_weights = 1 - (np.subtract.outer(np.arange(5), np.arange(5)) / 4) ** 2
    assert kappa(reference, near, weights=given_weights).se == pytest.approx(quadratic.se)


def test_a_category_that_does_not_occur_counts_where_it_is_named() -> None:
    """Weights run over all categories; without the name of the missing one they would shrink to those seen."""
    a, b = [0, 0, 1, 1, 3, 3, 0], [0, 1, 1, 0, 3, 1, 0]
    named = kappa(a, b, categories=[0, 1, 2, 3, 4])
    assert named.kappa.estimate != pytest.approx(kappa(a, b).kappa.estimate)
    # quadratic weights scale with the span, which cancels: 0..3 named in full is 0..4
    assert named.kappa.estimate == pytest.approx(kappa(a, b, categories=[0, 1, 2, 3]).kappa.estimate)


def test_kappa_of_perfect_agreement_one_category_and_few() -> None:
    perfect = kappa([0, 1, 2, 0, 1, 2], [0, 1, 2, 0, 1, 2]).kappa
    assert perfect.estimate == 1 and perfect.low is None and "perfect agreement" in str(perfect.reason)
    one = kappa([2] * 6, [2] * 6).kappa
    assert one.estimate is None and "single category" in str(one.reason)
    few = kappa([0, 1, 1, np.nan, 0], [0, 1, 0, 1, np.nan])
    assert few.kappa.estimate is None and few.left_out == 2 and "fewer than 5" in str(few.kappa.reason)


def test_confusion_table_by_hand() -> None:
    found = confusion([0, 0, 1, 2, 4, np.nan], [0, 1, 1, 4, 2, 1], categories=[0, 1, 2, 3, 4])
    expected = np.zeros((5, 5), int)
    expected[0, 0] = expected[0, 1] = expected[1, 1] = expected[2, 4] = expected[4, 2] = 1
    assert np.array_equal(found.counts, expected) and found.left_out == 1
    assert found.same.share == pytest.approx(0.4) and found.within_one.share == pytest.approx(0.6)
    with pytest.raises(SettingsError, match="outside the categories: found 4"):
        confusion([0, 4], [0, 1], categories=[0, 1])
    with pytest.raises(SettingsError, match="rising order"):
        confusion([0, 1], [0, 1], categories=[1, 0])
    with pytest.raises(SettingsError, match="square table"):
        kappa_of_counts(np.ones((2, 3)))
    with pytest.raises(SettingsError, match="none, linear, quadratic"):
        kappa([0, 1], [0, 1], weights="cubic")
