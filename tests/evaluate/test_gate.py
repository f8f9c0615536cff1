"""The quality gate's table, risk against coverage, and failures over all exams."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from livermre.evaluate.failures import count_failures
from livermre.evaluate.gate import quality_gate
from livermre.evaluate.risk_coverage import risk_coverage
from livermre.exam.errors import Contradiction, SettingsError


def test_the_gates_table_by_hand() -> None:
    """Half of the test set is bad, a tenth of the clinic's exams: precision falls from 0.95 to 0.68."""
    bad = np.repeat([1, 0], 100)
    rejected = np.concatenate([np.repeat([1, 0], [96, 4]), np.repeat([1, 0], [5, 95])])
    found = quality_gate(bad, rejected, prevalence=0.1)
    assert found.exams == 200
    assert found.recall.share == pytest.approx(0.96)
    assert found.precision_in_sample.share == pytest.approx(96 / 101)
    assert found.precision.estimate == pytest.approx(0.096 / (0.096 + 0.05 * 0.9))
    assert found.precision.low is not None and found.precision.low < 0.68
    assert found.with_observers == () and found.among_observers == ()


def test_kappa_against_and_among_observers_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(13)
    bad = rng.random(120) < 0.3
    rejected, anna, bert = (np.where(rng.random(120) < 0.1, ~bad, bad).astype(float) for _ in range(3))
    found = quality_gate(bad, rejected, prevalence=0.1, observers={"anna": anna, "bert": bert})
    assert [name for name, _ in found.with_observers] == ["anna", "bert"]
    for (_, one), other in zip(found.with_observers, (anna, bert)):
        assert one.kappa.estimate == pytest.approx(cohen_kappa_score(rejected, other))
    ((a, b, ceiling),) = found.among_observers
    assert (a, b) == ("anna", "bert") and ceiling.kappa.estimate == pytest.approx(cohen_kappa_score(anna, bert))


def test_a_gate_that_saw_one_class_has_no_precision() -> None:
    found = quality_gate([0] * 10, [0] * 9 + [1], prevalence=0.1)
    assert found.recall.share is None and found.precision.estimate is None
    assert "only one class" in str(found.precision.reason)


def test_risk_by_hand() -> None:
    found = risk_coverage([4, 1, 0, 2, 3], [0.9, 0.1, 0.2, 0.3, 0.4], draws=100)
    assert np.allclose(found.risk, [1, 0.5, 1, 1.5, 2]) and np.allclose(found.coverage, [0.2, 0.4, 0.6, 0.8, 1])
    assert found.area.estimate == pytest.approx(1.2) and found.random_area == pytest.approx(2)
    assert found.best_area == pytest.approx(np.mean([0, 0.5, 1, 1.5, 2]))
    assert [found.risk_at(c) for c in (1, 0.6, 0.5, 0.01)] == pytest.approx([2, 1, 1, 1])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=5, max_size=6))
@settings(max_examples=20, deadline=None)
def test_ties_give_the_mean_over_all_orders_of_dropping(rows: list[tuple[int, int]]) -> None:
    error, unsure = np.array([e for e, _ in rows], float), np.array([u for _, u in rows], float)
    curves = [
        np.cumsum(error[list(order)]) / np.arange(1, error.size + 1)
        for order in permutations(range(error.size))
        if np.all(np.diff(unsure[list(order)]) >= 0)
    ]
    found = risk_coverage(error, unsure, draws=50, level=0.9)
    assert np.allclose(found.risk, np.mean(curves, axis=0))


@given(st.lists(st.floats(0, 50), min_size=5, max_size=30), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_no_order_beats_the_oracle_and_a_monotone_map_changes_nothing(errors: list[float], random: object) -> None:
    error = np.array(errors)
    unsure = np.random.default_rng(len(errors)).normal(size=error.size)
    found = risk_coverage(error, unsure, draws=50, level=0.9)
    assert found.best_area is not None and found.random_area is not None and found.area.estimate is not None
    assert found.best_area <= found.area.estimate + 1e-9
    assert found.best_area <= found.random_area + 1e-9
    assert np.allclose(risk_coverage(error, np.exp(unsure), draws=50, level=0.9).risk, found.risk)
    assert np.allclose(risk_coverage(error, np.zeros(error.size), draws=50, level=0.9).risk, error.mean())


def test_interval_of_the_area_holds_rows_of_a_patient_together() -> None:
    rng = np.random.default_rng(14)
    unsure = rng.random(60)
    error = rng.exponential(unsure)
    names = np.repeat([f"p{i:02d}" for i in range(60)], 3)
    once = risk_coverage(error, unsure, draws=300).area
    often = risk_coverage(np.repeat(error, 3), np.repeat(unsure, 3), patient=names, draws=300)
    assert once.low is not None and once.high is not None and once.estimate is not None
    assert once.low < once.estimate < once.high
    # the same patients are drawn; tripled rows add points between those of the curve, not knowledge
    assert often.area.low is not None and often.area.high is not None
    assert often.area.high - often.area.low == pytest.approx(once.high - once.low, rel=0.05)


def test_few_exams_have_no_curve() -> None:
    found = risk_coverage([1, 2, np.nan, 3, 4], [1, 2, 3, 4, np.nan])
    assert found.area.estimate is None and found.left_out == 2 and found.risk_at(0.5) is None
    assert "fewer than 5" in str(found.area.reason)


def test_failures_have_all_exams_below_the_line() -> None:
    found = count_failures(["measured"] * 90 + ["acquisition"] * 5 + ["quality_control"] * 3 + ["software"] * 2)
    shares = [found.measured, found.acquisition, found.quality_control, found.software]
    assert [s.count for s in shares] == [90, 5, 3, 2] and {s.total for s in shares} == {100}
    assert found.failed.count == 10 and found.exams == 100
    # no failure among 57 leaves about 6 % possible (ALEC-3D's own bound is "about 5 %", one-sided)
    none = count_failures(["measured"] * 57, method="exact").failed
    assert none.share == 0 and none.high == pytest.approx(1 - 0.025 ** (1 / 57))
    assert count_failures([]).failed.share is None


def test_wrong_input_is_refused_in_words() -> None:
    with pytest.raises(SettingsError, match="measured, acquisition, quality_control, software, found crashed"):
        count_failures(["measured", "crashed"])
    with pytest.raises(SettingsError, match="not below 0, found -1"):
        risk_coverage([-1, 2, 3, 4, 5], [1, 2, 3, 4, 5])
    with pytest.raises(SettingsError, match="coverage lies above 0"):
        risk_coverage([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], draws=50).risk_at(0)
    with pytest.raises(Contradiction, match="one length"):
        quality_gate([0, 1], [0, 1, 1], prevalence=0.1)
    with pytest.raises(Contradiction, match="one length"):
        quality_gate([0, 1], [0, 1], prevalence=0.1, observers={"anna": [1]})
    with pytest.raises(SettingsError, match="prevalence"):
        quality_gate([0, 1], [0, 1], prevalence=10)
