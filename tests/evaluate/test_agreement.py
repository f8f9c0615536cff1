"""Agreement against formulas and a second implementation."""

import numpy as np
import pytest
from scipy import stats

from livermre.evaluate import agreement
from livermre.exam.errors import Contradiction


def pairs(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    reference = rng.normal(3, 0.8, 500)
    return 1.1 * reference + 0.2 + rng.normal(0, 0.3, 500), reference


def test_bias_and_limits_are_those_of_the_differences() -> None:
    measured, reference = pairs()
    found = agreement(measured, reference)
    assert found is not None
    low, high = found.limits
    assert (low + high) / 2 == pytest.approx(found.bias) == pytest.approx(np.mean(measured - reference))
    assert high - low == pytest.approx(2 * 1.96 * np.std(measured - reference, ddof=1))
    assert found.bias_percent == pytest.approx(100 * (measured.mean() / reference.mean() - 1))


def test_pearson_agrees_with_scipy_and_concordance_is_r_times_the_bias_correction() -> None:
    measured, reference = pairs()
    found = agreement(measured, reference)
    assert found is not None and found.pearson is not None and found.concordance is not None
    assert found.pearson == pytest.approx(stats.pearsonr(measured, reference).statistic)
    # Lin 1989, equation 8: C_b from the scale shift v and the location shift u
    v = measured.std() / reference.std()
    u = (measured.mean() - reference.mean()) / np.sqrt(measured.std() * reference.std())
    assert found.concordance == pytest.approx(found.pearson * 2 / (v + 1 / v + u**2))


def test_concordance_sees_the_bias_that_correlation_forgives() -> None:
    reference = np.linspace(1, 5, 50)
    found = agreement(2 * reference, reference)
    assert found is not None and found.pearson == pytest.approx(1.0)
    assert found.concordance is not None and found.concordance < 0.6


def test_missing_values_are_left_out_pair_by_pair_and_too_few_give_nothing() -> None:
    measured, reference = pairs()
    measured[:3], reference[5] = np.nan, np.inf
    found = agreement(measured, reference)
    assert found is not None and found.pairs == 496
    assert agreement(np.array([1.0, np.nan, 2.0]), np.ones(3)) is None
    flat = agreement(np.ones(5), np.ones(5))
    assert flat is not None and flat.pearson is None and flat.bias == 0


def test_different_shapes_are_refused() -> None:
    with pytest.raises(Contradiction, match="one shape"):
        agreement(np.ones(4), np.ones(5))
