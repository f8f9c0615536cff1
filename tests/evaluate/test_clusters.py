"""Patients with several rows: shares, kappa, Obuchowski, lines and calibration against slower second ways."""

import numpy as np
import pytest
import statsmodels.api as sm

from livermre.evaluate.calibration import calibration
from livermre.evaluate.coverage import coverage
from livermre.evaluate.diagnosis import diagnose
from livermre.evaluate.failures import count_failures
from livermre.evaluate.intervals import clustered_bootstrap
from livermre.evaluate.kappa import kappa
from livermre.evaluate.ordinal import compare_obuchowski, obuchowski
from livermre.evaluate.prevalence import predictive_values
from livermre.evaluate.proportion import proportion, share_of
from livermre.evaluate.regression import deming, passing_bablok


def rows(seed: int = 0, patients: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Patient, stage, and two markers that share the patient's own error, of 1 to 4 rows a patient."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), rng.integers(1, 5, patients))
    stage = (np.arange(patients) % 5)[patient].astype(float)
    own = rng.normal(0, 1.2, patients)[patient]
    one = stage + own + rng.normal(0, 0.4, patient.size)
    return patient, stage, np.round(one, 1), np.round(one + rng.normal(0, 0.8, patient.size), 1)


def test_a_share_with_all_rows_of_a_patient_alike_counts_patients() -> None:
    """Ten patients of four rows, seven of them hits: as 7 of 10, but for the n - 1 of a variance from the sample."""
    hits, patient = np.repeat([True] * 7 + [False] * 3, 4), np.repeat(np.arange(10), 4)
    found = share_of(hits, patient=patient)
    assert (found.count, found.total, found.share) == (28, 40, 0.7)
    assert found.effective == pytest.approx(9)
    exact = proportion(7, 10)
    assert found.low == pytest.approx(exact.low, abs=0.02)
    assert found.high == pytest.approx(exact.high, abs=0.02)
    everyone = share_of(np.ones(40, bool), patient=patient)
    assert (everyone.low, everyone.high) == (proportion(10, 10).low, 1.0)
    assert share_of(hits, patient=np.arange(40)) == share_of(hits) == proportion(28, 40)


def test_rows_that_differ_within_patients_are_worth_more() -> None:
    """Every patient has one hit and one miss: no spread between patients, so each row counts, and no more than that."""
    found = share_of(np.tile([True, False], 10), patient=np.repeat(np.arange(10), 2))
    assert found.effective == 20
    few = share_of(np.array([True, False, True, True]), patient=["a", "a", "b", "b"])
    assert (few.share, few.low) == (0.75, None) and "at least 5 patients, found 2" in str(few.reason)


def test_the_interval_of_a_share_holds_where_rows_hang_together() -> None:
    """600 samples of 30 patients with 1 to 6 rows each: about 95 of 100 intervals hold the true share; by rows, 78."""
    rng = np.random.default_rng(0)
    held = naive = 0
    for _ in range(600):
        chance = rng.beta(2.4, 0.6, 30)  # mean 0.8, correlation within a patient 1 / (1 + 3)
        patient = np.repeat(np.arange(30), rng.integers(1, 7, 30))
        hits = rng.random(patient.size) < chance[patient]
        a, b = share_of(hits, patient=patient), share_of(hits)
        held += a.low <= 0.8 <= a.high  # type: ignore[operator]
        naive += b.low <= 0.8 <= b.high  # type: ignore[operator]
    assert 0.93 <= held / 600 <= 0.98
    assert naive / 600 < 0.88


def test_everything_made_of_shares_counts_patients() -> None:
    patient = np.repeat(np.arange(20), 3)
    truth, called = np.repeat([1, 0], 30), np.repeat(np.tile([1, 1, 1, 0, 1, 0, 1, 0, 0, 0], 2), 3)
    once, thrice = diagnose(truth[::3], called[::3]), diagnose(truth, called, patient=patient)
    assert thrice.true_positive == 3 * once.true_positive
    named = ("sensitivity", "specificity", "ppv", "npv", "accuracy", "lr_positive", "lr_negative")
    by_prevalence = [predictive_values(d.sensitivity, d.specificity, 0.1) for d in (once, thrice)]
    pairs = [(getattr(once, n), getattr(thrice, n)) for n in named]
    pairs += [(by_prevalence[0].ppv, by_prevalence[1].ppv), (by_prevalence[0].npv, by_prevalence[1].npv)]
    value = np.repeat(np.linspace(1, 5, 20), 3)
    ends = [coverage(v, v - 0.2, v + np.where(v > 2, 1, -0.1)).inside for v in (value[::3],)]
    ends.append(coverage(value, value - 0.2, value + np.where(value > 2, 1, -0.1), patient=patient).inside)
    words = np.repeat(["measured"] * 15 + ["software"] * 5, 3).tolist()
    failed = count_failures(words[::3]).failed, count_failures(words, patient=patient).failed
    for one, three in [*pairs, tuple(ends), failed]:
        assert three.high - three.low >= one.high - one.low


def test_kappa_draws_patients_as_the_bootstrap_of_row_numbers_does() -> None:
    patient, stage, marker, _ = rows(1)
    band = np.clip(np.round(marker), 0, 4)
    names = [0.0, 1.0, 2.0, 3.0, 4.0]
    found = kappa(stage, band, categories=names, patient=patient, draws=150, seed=3)

    def again(i: np.ndarray) -> float:
        value = kappa(stage[i], band[i], categories=names).kappa.estimate
        return np.nan if value is None else value

    known = clustered_bootstrap(again, patient, draws=150, seed=3)
    assert (found.kappa.estimate, found.kappa.low, found.kappa.high) == pytest.approx(
        (known.estimate, known.low, known.high)
    )
    assert found.se is None
    assert kappa(stage, stage, patient=patient, draws=100).kappa.low is None  # perfect: no spread to tell


@pytest.mark.parametrize("penalty", ["equal", "linear"])
def test_obuchowski_draws_patients_as_the_bootstrap_of_row_numbers_does(penalty: str) -> None:
    """The weights stay those of the sample; every stage is in every resample here."""
    patient, stage, one, two = rows(2, 60)
    share = {float(s): float((stage == s).mean()) for s in range(5)}
    given = {"distribution": share, "penalty": penalty}
    found = obuchowski(stage, one, penalty=penalty, patient=patient, draws=120, seed=4)
    known = clustered_bootstrap(
        lambda i: obuchowski(stage[i], one[i], **given).measure.estimate, patient, draws=120, seed=4
    )  # type: ignore[arg-type]
    assert (found.measure.estimate, found.measure.low, found.measure.high) == pytest.approx(
        (known.estimate, known.low, known.high)
    )
    paired = compare_obuchowski(stage, one, two, penalty=penalty, patient=patient, draws=120, seed=4)
    gap = clustered_bootstrap(
        lambda i: compare_obuchowski(stage[i], one[i], two[i], **given).difference.estimate, patient, draws=120, seed=4
    )  # type: ignore[arg-type]
    assert (paired.difference.low, paired.difference.high) == pytest.approx((gap.low, gap.high))


def test_the_clustered_se_of_obuchowski_is_the_spread_of_its_draws() -> None:
    patient, stage, one, _ = rows(3, 100)
    clustered, naive = obuchowski(stage, one, patient=patient, draws=1000), obuchowski(stage, one)
    low, high = clustered.measure.low, clustered.measure.high
    assert clustered.se == pytest.approx((high - low) / 3.92, rel=0.1)  # type: ignore[operator]
    assert naive.se < 0.75 * clustered.se  # type: ignore[operator]
    once = obuchowski(stage, one, patient=np.arange(stage.size), draws=100)
    assert once.se == pytest.approx(naive.se)


def test_a_resample_without_a_stage_weighs_the_others() -> None:
    """A stage of one patient is missing in a third of the resamples; the measure of the other stages stands there."""
    patient = np.arange(30)
    stage = np.array([0.0] * 15 + [1.0] * 14 + [4.0])
    score = np.random.default_rng(0).normal(stage, 1.0)
    found = obuchowski(stage, score, patient=patient, draws=300)
    assert found.measure.undefined == 0
    assert found.measure.low is not None
    assert found.se is None


def test_lines_of_repeated_pairs_are_as_wide_as_those_of_single_ones() -> None:
    rng = np.random.default_rng(5)
    true = rng.uniform(2, 6, 40)
    x, y = true + rng.normal(0, 0.2, 40), true + rng.normal(0, 0.2, 40)
    patient, twice = np.arange(40), np.repeat(np.arange(40), 2)
    for line in (deming, passing_bablok):
        single = line(x, y, patient=patient, draws=300)
        double = line(x[twice], y[twice], patient=twice, draws=300)
        fooled = line(x[twice], y[twice], draws=300)
        widths = [f.slope.high - f.slope.low for f in (single, double, fooled)]
        assert widths[1] > 0.9 * widths[0] > 1.1 * widths[2]


def test_calibration_by_patients_has_the_variance_of_statsmodels() -> None:
    patient, stage, marker, _ = rows(6, 80)
    truth = (stage >= 2).astype(float)
    chance = 1 / (1 + np.exp(-(marker - 1.5)))
    found = calibration(truth, chance, patient=patient)
    odds = np.log(chance / (1 - chance))
    model = sm.Logit(truth, sm.add_constant(odds))
    known = model.fit(disp=0, cov_type="cluster", cov_kwds={"groups": patient, "use_correction": False})
    rows_alone = calibration(truth, chance)
    correction = np.sqrt(80 / 79)
    for mine, k, alone in ((found.intercept, 0, rows_alone.intercept), (found.slope, 1, rows_alone.slope)):
        assert mine.estimate == pytest.approx(known.params[k], rel=1e-5)
        assert (mine.high - mine.low) / 3.92 == pytest.approx(known.bse[k] * correction, rel=1e-3)
        assert mine.high - mine.low > 1.2 * (alone.high - alone.low)
    assert found.p_perfect is None
