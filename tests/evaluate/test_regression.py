"""Lines between methods against R's mcr, a second way to the same line, scipy, laws, and promised coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from evaluate.published import MINI, WRIGHT
from livermre.evaluate.line import least_squares
from livermre.evaluate.linearity import linearity
from livermre.evaluate.regression import deming, passing_bablok
from livermre.exam.errors import Contradiction, SettingsError

REFERENCE = np.arange(1, 21.0)
MEASURED = np.array(
    [1.03, 2.05, 2.79, 3.67, 5.00, 5.82, 7.16, 7.69, 8.53, 10.38, 11.11, 12.17, 13.47, 13.83, 15.15, 16.12, 16.94,
     18.09, 19.13, 19.54]
)  # fmt: skip


def noisy(seed: int, n: int = 60, slope: float = 1.1, sd: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Measured and reference, both with errors of `sd`."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(2, 6, n)
    return 0.2 + slope * truth + rng.normal(0, sd, n), truth + rng.normal(0, sd, n)


def test_passing_bablok_is_that_of_mcr() -> None:
    """R's mcr: mcreg(x, y, method.reg = "PaBa", method.ci = "analytical") on these twenty pairs."""
    found = passing_bablok(MEASURED, REFERENCE)
    assert found.slope.estimate == pytest.approx(1.0050)
    assert found.intercept.estimate == pytest.approx(0.0125)
    # the paper rounds the rank of an end, mcr takes the mean of the two slopes around it: up to one slope apart
    assert (found.slope.low, found.slope.high) == pytest.approx((0.9848077, 1.0265805), abs=0.0013)
    assert (found.intercept.low, found.intercept.high) == pytest.approx((-0.2975146, 0.1393271), abs=0.012)
    # (N - C) / 2 = 64.8: slopes 65 and 126 of 190
    slopes = np.sort([(MEASURED[j] - MEASURED[i]) / (j - i) for i in range(20) for j in range(i + 1, 20)])
    assert (found.slope.low, found.slope.high) == pytest.approx((slopes[64], slopes[125]))


def slow_passing_bablok(y: np.ndarray, x: np.ndarray) -> tuple[float, float]:
    """As the paper writes it, pair by pair, counted from 1."""
    slopes = []
    for i in range(len(x)):
        for j in range(i):
            if x[i] != x[j]:
                slopes.append((y[i] - y[j]) / (x[i] - x[j]))
            elif y[i] != y[j]:
                slopes.append(np.inf if y[i] > y[j] else -np.inf)
    slopes = sorted(s for s in slopes if s != -1)
    shift, n = sum(s < -1 for s in slopes), len(slopes)
    b = slopes[(n + 1) // 2 + shift - 1] if n % 2 else (slopes[n // 2 + shift - 1] + slopes[n // 2 + shift]) / 2
    return b, float(np.median(y - b * x))


@pytest.mark.parametrize("seed", range(6))
def test_a_slow_second_way_gives_the_same_line_with_ties_and_falling_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 12, 25).astype(float)
    y = x + rng.integers(-4, 5, 25)  # many ties, slopes of -1 and below
    found = passing_bablok(y, x)
    assert (found.slope.estimate, found.intercept.estimate) == pytest.approx(slow_passing_bablok(y, x))


def test_exchanging_the_methods_turns_the_line_over() -> None:
    """The property that Passing and Bablok's shift is for; an unshifted median (Theil-Sen) fails it."""
    y, x = noisy(1)
    one, other = passing_bablok(y, x), passing_bablok(x, y)
    assert other.slope.estimate == pytest.approx(1 / one.slope.estimate, rel=1e-2)
    assert abs(stats.theilslopes(x, y).slope - 1 / stats.theilslopes(y, x).slope) > 0.05
    two, back = deming(y, x), deming(x, y)
    assert back.slope.estimate == pytest.approx(1 / two.slope.estimate)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(0.2, 5), st.floats(-3, 3))
def test_both_lines_follow_unit_and_shift(seed: int, scale: float, shift: float) -> None:
    y, x = noisy(seed, n=15)
    for line in (passing_bablok, deming):
        found, moved = line(y, x), line(scale * y + shift, scale * x)
        assert (moved.slope.low, moved.slope.high) == pytest.approx((found.slope.low, found.slope.high))
        assert moved.intercept.estimate == pytest.approx(scale * found.intercept.estimate + shift, abs=1e-9)


def test_lines_cover_the_true_slope() -> None:
    held = np.zeros(4)
    for seed in range(300):
        y, x = noisy(seed, n=40)
        for k, line in enumerate((passing_bablok, deming)):
            found = line(y, x)
            held[2 * k] += found.slope.low <= 1.1 <= found.slope.high
            held[2 * k + 1] += found.intercept.low <= 0.2 <= found.intercept.high
    # binomial SE 1.3 %; errors of unequal size for x and y (slope 1.1) cost Passing-Bablok a little
    assert held / 300 == pytest.approx((0.95,) * 4, abs=0.045)


@pytest.mark.parametrize("ratio", [1.0, 0.25, 3.0])
def test_deming_is_the_line_of_least_weighted_distance(ratio: float) -> None:
    y, x = noisy(4)

    def distance(line: np.ndarray) -> float:
        """Sum over points of (y - a - b x)^2 / (ratio + b^2): the squared errors of both, weighted, at their best."""
        return float(((y - line[1] - line[0] * x) ** 2).sum() / (ratio + line[0] ** 2))

    best = optimize.minimize(distance, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12})
    found = deming(y, x, error_ratio=ratio)
    assert (found.slope.estimate, found.intercept.estimate) == pytest.approx(tuple(best.x), rel=1e-5)


def test_deming_without_ratio_is_the_principal_axis() -> None:
    y, x = MINI[:, 0], WRIGHT[:, 0]
    axis = np.linalg.eigh(np.cov(x, y))[1][:, 1]
    assert deming(y, x).slope.estimate == pytest.approx(axis[1] / axis[0])


def test_the_cusum_is_the_two_sample_kolmogorov_smirnov_distance() -> None:
    y, x = noisy(6)
    found = passing_bablok(y, x)
    b, a = found.slope.estimate, found.intercept.estimate
    along, rest = (y + x / b - a) / np.sqrt(1 + b**-2), y - a - b * x
    above, below = along[rest > 1e-9], along[rest < -1e-9]
    distance = stats.ks_2samp(above, below).statistic
    size = above.size * below.size / (above.size + below.size)
    assert found.linearity_p == pytest.approx(special.kolmogorov(distance * np.sqrt(size)))


def test_the_cusum_finds_a_bend_and_spares_a_line() -> None:
    """200 pairs: a fitted line makes the test shy, so a straight relation is called bent in well under 5 %."""
    rejected = np.zeros(2)
    for seed in range(60):
        y, x = noisy(seed, n=200)
        bent = passing_bablok(y + 0.25 * (x - 4) ** 2, x)
        rejected += [passing_bablok(y, x).linearity_p < 0.05, bent.linearity_p < 0.05]
    assert rejected[0] / 60 <= 0.05
    assert rejected[1] / 60 > 0.7


@pytest.mark.parametrize("line", [passing_bablok, deming])
def test_what_a_line_cannot_say(line) -> None:
    assert "at least 3 pairs, found 2" in line([1, 2, np.nan], [1, 2, 3]).slope.reason
    four = line([1.0, 2.1, 2.9, 4.2], [1.0, 2.0, 3.0, 4.0])
    assert four.slope.estimate == pytest.approx(1.05, abs=0.1)
    assert four.slope.low is None and "at least 5 pairs, found 4" in four.slope.reason
    assert "does not vary" in line(np.ones(9), np.arange(9.0)).slope.reason
    assert "does not vary" in line(np.arange(9.0), np.ones(9)).slope.reason
    assert "do not rise together" in line(-np.arange(9.0), np.arange(9.0)).slope.reason
    exact = line(2 * np.arange(9.0) + 1, np.arange(9.0))
    assert (exact.slope.estimate, exact.intercept.estimate) == pytest.approx((2, 1))
    assert exact.linearity_p is None
    assert line([1, 2, 3, 4, 5.2, np.nan], [1, 2.2, 3, 4, 5, 6]).left_out == 1
    with pytest.raises(Contradiction, match="one length"):
        line([1, 2], [1, 2, 3])


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(SettingsError, match="above 0, found 0"):
        deming(MEASURED, REFERENCE, error_ratio=0)
    assert "too few for a rank interval" in (
        passing_bablok(MEASURED[:5], REFERENCE[:5], level=0.9999).slope.reason or ""
    )


def test_least_squares_is_scipys() -> None:
    y, x = noisy(2)
    found, other = least_squares(x, y), stats.linregress(x, y)
    t = stats.t.ppf(0.975, 58)
    assert (found.slope.estimate, found.intercept.estimate) == pytest.approx((other.slope, other.intercept))
    assert found.slope.high - found.slope.estimate == pytest.approx(t * other.stderr)
    assert found.intercept.high - found.intercept.estimate == pytest.approx(t * other.intercept_stderr)
    assert (found.slope_p, found.r_squared) == pytest.approx((other.pvalue, other.rvalue**2))


def test_what_least_squares_cannot_say() -> None:
    assert "at least 2 points" in (least_squares([1], [1]).slope.reason or "")
    assert "x does not vary" in (least_squares(np.ones(9), np.arange(9.0)).slope.reason or "")
    line = least_squares(np.arange(9.0), 2 * np.arange(9.0))
    assert line.slope.estimate == pytest.approx(2) and "lie on a line" in (line.slope.reason or "")
    assert least_squares(np.arange(9.0), np.ones(9)).r_squared is None


def test_linearity_sees_a_parabola_by_the_f_test_of_nested_fits() -> None:
    y, x = noisy(9)
    for measured in (y, y + 0.2 * (x - 4) ** 2):
        found = linearity(measured, x)
        line, parabola = (float(np.polyfit(x, measured, k, full=True)[1][0]) for k in (1, 2))
        f = (line - parabola) / (parabola / (x.size - 3))
        assert found.curvature_p == pytest.approx(stats.f.sf(f, 1, x.size - 3), rel=1e-6)
        assert found.line.slope.estimate == pytest.approx(np.polyfit(x, measured, 1)[0])
    assert linearity(x, x).curvature_p is None
    assert linearity([1, 2, 3, 4], [1, 2, 3, 4]).curvature_p is None
    assert linearity([1.0, 1.1, 2.0, 2.2, 2.1], [1, 1, 2, 2, 2]).curvature_p is None
