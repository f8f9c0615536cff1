"""Area under the ROC curve against published tables, scikit-learn, the definition written out, and its laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from livermre.evaluate.inputs import at_least
from livermre.evaluate.roc import auroc, compare_auroc, roc_curve
from livermre.exam.errors import Contradiction, SettingsError

# Hanley and McNeil, Radiology 1982;143:29, table II: ratings 1..5 of 58 normal and 51 abnormal CT images
NORMAL, ABNORMAL = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)
# DeLong 1988's ovarian cancer patients as printed in the SAS/STAT user's guide (LOGISTIC, comparing ROC curves):
# albumin, total protein, K-G score before its turn to 10 - score, whether surgery helped
OVARIAN = np.fromstring(
    """3.0 5.8 10 0 3.2 6.3 5 1 3.9 6.8 3 1 2.8 4.8 6 0 3.2 5.8 3 1 0.9 4.0 5 0 2.5 5.7 8 0 1.6 5.6 5 1 3.8 5.7 5 1
    3.7 6.7 6 1 3.2 5.4 4 1 3.8 6.6 6 1 4.1 6.6 5 1 3.6 5.7 5 1 4.3 7.0 4 1 3.6 6.7 4 0 2.3 4.4 6 1 4.2 7.6 4 0
    4.0 6.6 6 0 3.5 5.8 6 1 3.8 6.8 7 1 3.0 4.7 8 0 4.5 7.4 5 1 3.7 7.4 5 1 3.1 6.6 6 1 4.1 8.2 6 1 4.3 7.0 5 1
    4.3 6.5 4 1 3.2 5.1 5 1 2.6 4.7 6 1 3.3 6.8 6 0 1.7 4.0 7 0 3.7 6.1 5 1 3.3 6.3 7 1 4.2 7.7 6 1 3.5 6.2 5 1
    2.9 5.7 9 0 2.1 4.8 7 1 2.8 6.2 8 0 4.0 7.0 7 1 3.3 5.7 6 1 3.7 6.9 5 1 3.6 6.6 5 1""",
    sep=" ",
).reshape(-1, 4)
HELPED, ALBUMIN, KG = OVARIAN[:, 3], OVARIAN[:, 0], 10 - OVARIAN[:, 2]

SAMPLES = st.lists(st.tuples(st.booleans(), st.integers(-6, 6)), min_size=6, max_size=40).filter(
    lambda rows: len({p for p, _ in rows}) == 2
)


def ratings() -> tuple[np.ndarray, np.ndarray]:
    grades = np.arange(1, 6)
    score = np.concatenate([np.repeat(grades, NORMAL), np.repeat(grades, ABNORMAL)])
    return np.repeat([0, 1], [sum(NORMAL), sum(ABNORMAL)]), score


def draw(seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth and two correlated markers with ties."""
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.4
    base = rng.normal(size=n) + truth
    return truth, np.round(base, 1), np.round(base + rng.normal(0, 0.8, n), 1)


def delong_by_definition(truth: np.ndarray, markers: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Areas and covariance from the double sums of DeLong 1988, pair by pair."""
    psi = [np.array([[(x > y) + 0.5 * (x == y) for y in s[~truth]] for x in s[truth]], float) for s in markers]
    s10 = np.atleast_2d(np.cov([k.mean(axis=1) for k in psi]))
    s01 = np.atleast_2d(np.cov([k.mean(axis=0) for k in psi]))
    m, n = psi[0].shape
    return np.array([k.mean() for k in psi]), s10 / m + s01 / n


def test_published_ratings_of_ct_images() -> None:
    """Hanley and McNeil give 0.893; Stata's manual (roctab) SE 0.0307 and 0.83295 to 0.95339 of the same table."""
    found = auroc(*ratings(), method="delong")
    assert (found.positives, found.negatives) == (51, 58)
    assert found.area.estimate == pytest.approx(0.8932, abs=5e-5)
    assert found.se == pytest.approx(0.0307, abs=5e-5)
    assert (found.area.low, found.area.high) == pytest.approx((0.83295, 0.95339), abs=5e-6)


@pytest.mark.parametrize(
    ("column", "area", "se", "low", "high"),
    [("albumin", 0.7366, 0.0927, 0.5549, 0.9182), ("kg", 0.7258, 0.1028, 0.5243, 0.9273)],
)
def test_published_areas_of_the_ovarian_cancer_patients(
    column: str, area: float, se: float, low: float, high: float
) -> None:
    found = auroc(HELPED, {"albumin": ALBUMIN, "kg": KG}[column], method="delong")
    values = (found.area.estimate, found.se, found.area.low, found.area.high)
    assert values == pytest.approx((area, se, low, high), abs=5e-5)


def test_paired_test_is_that_of_the_definition() -> None:
    truth = HELPED == 1
    (a, b), covariance = delong_by_definition(truth, [ALBUMIN, KG])
    found = compare_auroc(HELPED, ALBUMIN, KG)
    se = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert (found.area_a, found.area_b) == pytest.approx((a, b))
    assert found.se == pytest.approx(se)
    assert found.z == pytest.approx((a - b) / se)
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(a - b) / se))
    # the markers are correlated: an unpaired test would be wider
    assert covariance[0, 1] > 0.001
    assert found.difference.high is not None and found.difference.low is not None
    assert (found.difference.high - found.difference.low) / 2 == pytest.approx(1.959964 * se, rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_area_is_that_of_scikit_learn_and_variance_that_of_the_definition(seed: int) -> None:
    truth, score, other = draw(seed)
    areas, covariance = delong_by_definition(truth, [score, other])
    found = auroc(truth, score)
    assert found.area.estimate == pytest.approx(metrics.roc_auc_score(truth, score)) == pytest.approx(areas[0])
    assert found.se == pytest.approx(np.sqrt(covariance[0, 0]))


def test_logit_interval_is_the_plain_one_on_the_log_odds() -> None:
    truth, score, _ = draw(1)
    found = auroc(truth, score, level=0.9)
    area, se = found.area.estimate, found.se
    assert area is not None and se is not None and found.area.low is not None and found.area.high is not None
    half = stats.norm.ppf(0.95) * se / (area * (1 - area))
    ends = [np.log(v / (1 - v)) - np.log(area / (1 - area)) for v in (found.area.low, found.area.high)]
    assert ends == pytest.approx([-half, half])


def test_curve_is_that_of_scikit_learn_and_has_the_area() -> None:
    truth, score, _ = draw(2)
    curve = roc_curve(truth, score)
    assert curve is not None
    fpr, tpr, cut = metrics.roc_curve(truth, score, drop_intermediate=False)
    assert np.allclose(curve.false_positive_rate, fpr) and np.allclose(curve.sensitivity, tpr)
    assert np.array_equal(curve.threshold, cut)
    trapezoids = np.trapezoid(curve.sensitivity, curve.false_positive_rate)
    assert trapezoids == pytest.approx(auroc(truth, score).area.estimate)
    with pytest.raises(ValueError, match="read-only"):
        curve.sensitivity[0] = 1


@given(SAMPLES)
@settings(max_examples=60, deadline=None)
def test_laws_of_the_area(rows: list[tuple[bool, int]]) -> None:
    truth, score = np.array([p for p, _ in rows]), np.array([float(s) for _, s in rows])
    found, turned, swapped = auroc(truth, score), auroc(truth, -score), auroc(~truth, score)
    monotone = auroc(truth, np.exp(score / 3) + 5)
    assert found.area.estimate is not None
    assert turned.area.estimate == pytest.approx(1 - found.area.estimate)
    assert swapped.area.estimate == pytest.approx(1 - found.area.estimate)
    assert monotone.area.estimate == pytest.approx(found.area.estimate)
    assert monotone.se == turned.se == swapped.se == found.se or (
        [monotone.se, turned.se, swapped.se] == pytest.approx([found.se] * 3)
    )
    pairs = np.sign(score[truth][:, None] - score[~truth][None, :])
    assert found.area.estimate == pytest.approx((pairs.mean() + 1) / 2)


def test_interval_covers_the_true_area_as_often_as_it_says() -> None:
    """Binormal, true area 0.921 (d' = 2), 30 against 50: 1000 sets place a coverage of 95 % within 2.1 % (3 SD)."""
    rng = np.random.default_rng(5)
    true = stats.norm.cdf(2 / np.sqrt(2))
    truth = np.repeat([1, 0], [30, 50])
    inside = 0
    for _ in range(1000):
        area = auroc(truth, rng.normal(size=80) + 2 * truth).area
        assert area.low is not None and area.high is not None
        inside += area.low <= true <= area.high
    assert inside / 1000 == pytest.approx(0.95, abs=0.021)


def test_paired_test_rejects_equal_markers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(6)
    truth = np.repeat([1, 0], [40, 40])
    p = []
    for _ in range(500):
        base = rng.normal(size=80) + truth
        p.append(compare_auroc(truth, base + rng.normal(size=80), base + rng.normal(size=80)).p)
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.03)  # 3 SD of 500 draws


def test_repeating_each_row_of_a_patient_adds_no_knowledge() -> None:
    """The law of the clustered variance: k copies of a patient's row leave area and SE exactly as they were."""
    truth, score, _ = draw(3)
    once = auroc(truth, score)
    patient = np.repeat([f"patient {i}" for i in range(truth.size)], 3)
    thrice = auroc(np.repeat(truth, 3), np.repeat(score, 3), patient=patient)
    assert thrice.area.estimate == pytest.approx(once.area.estimate)
    assert thrice.se == pytest.approx(once.se)
    naive = auroc(np.repeat(truth, 3), np.repeat(score, 3))
    assert naive.se is not None and once.se is not None and naive.se < 0.6 * once.se


def test_clustered_interval_covers_where_rows_of_both_classes_share_a_patient() -> None:
    """Lesions: 40 patients, 2 positive and 2 negative rows each, correlation 0.5; a row-wise interval is too wide."""
    rng = np.random.default_rng(7)
    true = stats.norm.cdf(1.5 / np.sqrt(2))
    truth, patient = np.tile([1, 1, 0, 0], 40), np.repeat(np.arange(40), 4)
    inside, widths, naive = 0, [], []
    for _ in range(300):
        # within a patient all rows move together, which cancels within the patient and not between patients
        score = np.sqrt(0.5) * (rng.normal(size=160) + rng.normal(size=40)[patient]) + 1.5 * truth
        area = auroc(truth, score, patient=patient).area
        assert area.low is not None and area.high is not None
        inside += area.low <= true <= area.high
        alone = auroc(truth, score).area
        assert alone.low is not None and alone.high is not None
        widths.append(area.high - area.low)
        naive.append(alone.high - alone.low)
    assert inside / 300 == pytest.approx(0.95, abs=0.038)  # 3 SD of 300 draws
    assert np.mean(naive) > 1.1 * np.mean(widths)


def test_missing_values_are_left_out_and_counted() -> None:
    truth, score, other = draw(4)
    holed, scored = truth.astype(float), score.copy()
    holed[0], scored[1], scored[2] = np.nan, np.nan, np.inf
    found = auroc(holed, scored)
    assert found.left_out == 3
    assert auroc([None, *holed[1:]], scored) == found
    assert found.area == auroc(truth[3:], score[3:]).area
    assert compare_auroc(holed, scored, other).left_out == 3
    assert found.area.n == truth.size - 3


@pytest.mark.parametrize(
    ("truth", "score", "why"),
    [
        ([0, 1, 0, 1], [1, 2, 3, 4], "fewer than 5"),
        ([1] * 6, range(6), "only one class: 6 positive and 0 negative"),
        ([0] * 6, range(6), "only one class: 0 positive and 6 negative"),
        ([], [], "fewer than 5"),
    ],
)
def test_too_few_or_one_class_give_no_area(truth: list, score: list, why: str) -> None:
    found = auroc(truth, list(score))
    assert found.area.estimate is None and found.area.low is None and found.se is None
    assert found.area.reason is not None and why in found.area.reason
    assert compare_auroc(truth, list(score), list(score)).difference.estimate is None


def test_perfect_separation_equal_scores_and_single_patients_have_an_area_and_no_interval() -> None:
    truth = np.array([0, 0, 0, 1, 1, 1])
    for score, area, why in (
        ([1, 2, 3, 4, 5, 6], 1.0, "perfect separation"),
        ([6, 5, 4, 3, 2, 1], 0.0, "perfect separation"),
        ([2, 2, 2, 2, 2, 2], 0.5, "no variance"),
    ):
        found = auroc(truth, score).area
        assert found.estimate == area and found.low is None and found.high is None
        assert found.reason is not None and why in found.reason
    alone = auroc([0, 0, 0, 0, 1], [1, 2, 4, 5, 3]).area
    assert alone.estimate == 0.5 and alone.low is None and "single patient" in str(alone.reason)


def test_two_markers_that_order_alike_have_no_test() -> None:
    truth, score, _ = draw(0)
    found = compare_auroc(truth, score, score**3)
    assert found.difference.estimate == 0 and found.p is None and found.z is None
    assert "no variance" in str(found.difference.reason)


def test_wrong_input_is_refused_in_words() -> None:
    with pytest.raises(Contradiction, match="one length, found 3 and 4"):
        auroc([0, 1, 1], [1, 2, 3, 4])
    with pytest.raises(Contradiction, match="patients must have one length"):
        auroc([0, 1, 1, 0, 1], [1, 2, 3, 4, 5], patient=["a", "b"])
    with pytest.raises(SettingsError, match="0, 1 or missing, found 2"):
        auroc([0, 1, 2, 0, 1], [1, 2, 3, 4, 5])
    with pytest.raises(SettingsError, match="logit or delong"):
        auroc([0, 1, 1, 0, 1], [1, 2, 3, 4, 5], method="wald")
    with pytest.raises(SettingsError, match="between 0 and 1"):
        auroc([0, 1, 1, 0, 1], [1, 2, 3, 4, 5], level=95)
    with pytest.raises(SettingsError, match="one number a row: could not convert string to float: 'F3'"):
        auroc([0, 1, 1, 0, 1], ["F3", 1, 2, 3, 4])
    with pytest.raises(SettingsError, match="one value a row"):
        auroc(np.zeros((2, 3)), np.zeros((2, 3)))


def test_a_missing_stage_is_not_a_negative() -> None:
    reached = at_least([0, 3, np.nan, 2, 4], 2)
    assert np.array_equal(reached, [0, 1, np.nan, 1, 1], equal_nan=True)
