"""Decision curves by hand and by their laws."""

import numpy as np
import pytest

from livermre.evaluate.decision import decision_curve
from livermre.exam.errors import Contradiction, SettingsError


def cohort(seed: int = 0, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    chance = rng.beta(1, 2, n)
    return rng.random(n) < chance, chance


def test_net_benefit_by_hand() -> None:
    """Ten patients, four sick: at 0.2 three of them and two others are treated, 3/10 - 2/10 x 0.25."""
    truth = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    chance = [0.9, 0.5, 0.2, 0.1, 0.6, 0.2, 0.1, 0.1, 0.0, 0.19]
    point = decision_curve(truth, chance, [0.2], draws=100).points[0]
    assert point.threshold == 0.2
    assert point.model.estimate == pytest.approx(0.3 - 0.2 * 0.25)
    assert point.treat_all.estimate == pytest.approx(0.4 - 0.6 * 0.25)
    assert point.model_minus_all.estimate == pytest.approx(0.25 - 0.25)
    half = decision_curve(truth, chance, [0.5], draws=100).points[0]
    assert half.model.estimate == pytest.approx(0.2 - 0.1)
    assert half.treat_all.estimate == pytest.approx(0.4 - 0.6)


def test_the_laws_of_a_decision_curve() -> None:
    truth, chance = cohort()
    curve = decision_curve(truth, chance, [0.001, 0.1, 0.3, truth.mean(), 0.999], draws=100)
    low, *_, share, high = curve.points
    assert low.model.estimate == pytest.approx(low.treat_all.estimate)  # everybody is above: the model treats all
    assert share.treat_all.estimate == pytest.approx(0, abs=1e-12)  # treating all crosses none at the prevalence
    assert high.model.estimate == pytest.approx(0)  # nobody is above: the model treats none
    perfect = decision_curve(truth, truth.astype(float), [0.1, 0.5, 0.9], draws=100)
    assert [p.model.estimate for p in perfect.points] == pytest.approx([truth.mean()] * 3)


def test_intervals_are_those_of_a_mean_and_the_difference_is_paired() -> None:
    truth, chance = cohort(1, 400)
    t = 0.3
    point = decision_curve(truth, chance, [t]).points[0]
    worth = truth - (1 - truth) * t / (1 - t)
    for found, values in (
        (point.model, worth * (chance >= t)),
        (point.treat_all, worth),
        (point.model_minus_all, -worth * (chance < t)),
    ):
        assert found.low is not None and found.high is not None
        # 2,000 draws place a 2.5 % quantile within about 6 % of the half width
        assert (found.high - found.low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.08)


def test_rows_of_a_patient_stay_together() -> None:
    truth, chance = cohort(2, 60)
    once = decision_curve(truth, chance, [0.2]).points[0].model
    names = np.repeat([f"p{i:03d}" for i in range(60)], 4)
    often = decision_curve(np.repeat(truth, 4), np.repeat(chance, 4), [0.2], patient=names).points[0].model
    assert (often.estimate, often.low, often.high) == pytest.approx((once.estimate, once.low, once.high))


def test_few_one_class_and_missing_are_said() -> None:
    assert "fewer than 5" in str(decision_curve([0, 1, 1], [0.1, 0.5, 0.9], [0.5]).reason)
    one = decision_curve([1] * 6, [0.5] * 6, [0.5])
    assert one.points == () and "only one class" in str(one.reason)
    truth, chance = cohort(3, 30)
    holed = np.concatenate([chance, [np.nan, 0.5]])
    found = decision_curve(np.concatenate([truth, [1, np.nan]]), holed, [0.5], draws=100)
    assert found.left_out == 2 and found.patients == 30 and found.reason is None


def test_wrong_input_is_refused_in_words() -> None:
    for wrong in ([], [0.0], [1.0], [20]):
        with pytest.raises(SettingsError, match="thresholds of a decision"):
            decision_curve([0, 1], [0.1, 0.2], wrong)
    with pytest.raises(Contradiction, match="one length"):
        decision_curve([0, 1, 1], [0.1, 0.2], [0.5])
    with pytest.raises(Contradiction, match="patients must have one length"):
        decision_curve([0, 1, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.5], [0.5], patient=["a"])
