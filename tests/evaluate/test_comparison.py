"""Comparisons against scipy, pingouin, definitions counted out, and printed examples."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluate.published import DEPRESSION_FIRST, DEPRESSION_SECOND
from livermre.evaluate.comparison import compare_paired, holm, sign_flip_p
from livermre.evaluate.rank_shift import hodges_lehmann, rank_biserial
from livermre.evaluate.summary import summary
from livermre.exam.errors import Contradiction, SettingsError


def test_hollander_and_wolfes_depression_scores() -> None:
    """Table 3.1: W = 5, two-sided exact p = 0.039, estimate -0.46, 95 % interval -0.786 to -0.010."""
    found = compare_paired(DEPRESSION_SECOND, DEPRESSION_FIRST, np.arange(9))
    assert found.wilcoxon_p == pytest.approx(0.0390625)
    assert found.shift.estimate == pytest.approx(-0.46)
    assert (found.shift.low, found.shift.high) == pytest.approx((-0.786, -0.010))


def test_pseudomedian_of_a_sample_with_ties_as_r_prints_it() -> None:
    """wilcox.test(dat, conf.int = T, exact = F, conf.level = .99): 4.400028, 3.450018 to 5.499933 (root finding)."""
    dat = [2.10, 2.35, 2.35, 3.10, 3.10, 3.15, 3.90, 3.90, 4.00, 4.80, 5.00, 5.00, 5.15, 5.35, 5.50, 6.00, 6.00, 6.25,
           6.45]  # fmt: skip
    found = hodges_lehmann(np.array(dat), level=0.99)
    assert found.estimate == pytest.approx(4.4, abs=1e-9)
    assert (found.low, found.high) == pytest.approx((3.45, 5.5), abs=0.051)  # counted out, not normal: one step


def test_the_interval_is_the_set_of_shifts_that_wilcoxon_does_not_reject() -> None:
    d = np.random.default_rng(0).normal(0.3, 1, 14)
    found = hodges_lehmann(d)
    inside = [found.low + 1e-9, found.estimate, found.high - 1e-9]
    assert all(stats.wilcoxon(d - s).pvalue > 0.05 for s in inside)
    assert all(stats.wilcoxon(d - s).pvalue <= 0.05 for s in (found.low - 1e-9, found.high + 1e-9))


def test_counted_and_normal_intervals_meet_at_fifty() -> None:
    d = np.random.default_rng(1).normal(0, 1, 51)
    counted, normal = hodges_lehmann(d[:50]), hodges_lehmann(d)
    assert normal.high - normal.low == pytest.approx(counted.high - counted.low, rel=0.1)


def test_effect_sizes_are_pingouins() -> None:
    import pingouin

    rng = np.random.default_rng(2)
    a, b = rng.normal(0.9, 0.05, 30), rng.normal(0.88, 0.05, 30)
    found = compare_paired(a, b, np.arange(30))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = pingouin.wilcoxon(a, b)
        d = pingouin.compute_effsize(a - b, 0 * a, paired=True, eftype="cohen")
    assert found.rank_biserial == pytest.approx(float(other["RBC"].iloc[0]))
    assert found.wilcoxon_p == pytest.approx(stats.wilcoxon(a, b).pvalue)
    # d_z is t / sqrt(n); pingouin's paired d divides by the mean SD, which for (a - b, 0) is SD / sqrt(2)
    assert found.cohen_dz == pytest.approx(stats.ttest_rel(a, b).statistic / np.sqrt(30))
    assert found.cohen_dz == pytest.approx(d / np.sqrt(2))


@pytest.mark.parametrize("n", [8, 40])
def test_permutations_are_scipys(n: int) -> None:
    d = np.random.default_rng(3).normal(0.3, 1, n)
    other = stats.permutation_test(
        (d,), np.mean, permutation_type="samples", n_resamples=9999, rng=np.random.default_rng(1)
    )
    # n = 8: all 256 signs, exact; n = 40: 9,999 draws each, SE 0.3 %
    assert sign_flip_p(d) == pytest.approx(other.pvalue, abs=1e-12 if n == 8 else 0.015)


def test_permutations_of_nothing_unusual_and_of_all_on_one_side() -> None:
    assert sign_flip_p(np.array([1.0, -1.0, 1.0, -1.0])) == 1
    assert sign_flip_p(np.full(6, 0.1)) == 2 / 64
    assert sign_flip_p(np.full(40, 0.1)) == 1 / 10_000  # never 0


def test_tests_stand_on_patients_not_on_rows() -> None:
    """Each patient's row copied ten times: same tests, effects, interval; copied unevenly: same tests and effects."""
    rng = np.random.default_rng(4)
    a, b = rng.normal(0.9, 0.05, 20), rng.normal(0.88, 0.05, 20)
    once = compare_paired(a, b, np.arange(20))
    many = compare_paired(np.repeat(a, 10), np.repeat(b, 10), np.repeat(np.arange(20), 10))
    assert (many.patients, many.rows) == (20, 200)
    assert many.wilcoxon_p == pytest.approx(once.wilcoxon_p)
    assert many.permutation_p == once.permutation_p
    assert many.cohen_dz == pytest.approx(once.cohen_dz)
    assert (many.difference.low, many.difference.high) == pytest.approx((once.difference.low, once.difference.high))
    copies = rng.integers(1, 8, 20)
    uneven = compare_paired(*(np.repeat(v, copies) for v in (a, b, np.arange(20))))
    assert uneven.cohen_dz == pytest.approx(once.cohen_dz)
    assert (uneven.shift.low, uneven.wilcoxon_p) == pytest.approx((once.shift.low, once.wilcoxon_p))
    assert uneven.difference.estimate == pytest.approx(np.average(a - b, weights=copies))  # the mean is over rows


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 10))
def test_exchanging_the_methods_turns_every_sign(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, 9))
    one = compare_paired(a, b, np.arange(9), draws=60)
    other = compare_paired(scale * b, scale * a, np.arange(9), draws=60)
    assert other.cohen_dz == pytest.approx(-one.cohen_dz)
    assert other.rank_biserial == pytest.approx(-one.rank_biserial)
    assert (other.shift.low, other.shift.high) == pytest.approx((-scale * one.shift.high, -scale * one.shift.low))
    assert (other.wilcoxon_p, other.permutation_p) == pytest.approx((one.wilcoxon_p, one.permutation_p))
    assert -1 <= one.rank_biserial <= 1


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),  # 3 x 0.01, 2 x 0.03, and 0.04 no smaller than what came before
        ([0.5, None, 0.6], [1.0, None, 1.0]),
        ([], []),
    ],
)
def test_holm_by_hand(p: list, expected: list) -> None:
    assert holm(p) == pytest.approx(tuple(expected))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=7))
def test_holm_is_the_closed_test_of_bonferroni(p: list[float]) -> None:
    """A hypothesis falls where every set that holds it falls: its p is the largest Bonferroni p of those sets."""
    sets = [s for k in range(1, len(p) + 1) for s in itertools.combinations(range(len(p)), k)]
    closed = [max(min(1.0, len(s) * min(p[j] for j in s)) for s in sets if i in s) for i in range(len(p))]
    assert holm(p) == pytest.approx(tuple(closed))


def test_what_a_comparison_cannot_say() -> None:
    four = compare_paired([1, 2, 3, 4], [1, 3, 2, 6], list("abcd"))
    assert four.difference.estimate == -0.5 and four.difference.low is None
    assert four.wilcoxon_p is None and "at least 5 patients, found 4" in (four.reason or "")
    same = compare_paired(np.ones(9), np.ones(9), np.arange(9))
    assert same.difference.estimate == 0 and same.reason == "the two methods never differ"
    shifted = compare_paired(np.ones(9) + 0.5, np.ones(9), np.arange(9))
    assert shifted.cohen_dz is None and "same amount" in (shifted.reason or "")
    gaps = compare_paired([1, np.nan, 3], [1, 2, np.nan], list("abc"))
    assert (gaps.rows, gaps.left_out) == (1, 2)
    assert compare_paired([np.nan], [1], ["a"]).reason == "there are no rows"
    assert rank_biserial(np.zeros(4)) is None
    assert hodges_lehmann(np.array([])).estimate is None
    assert "too few for an interval of 95 %" in (hodges_lehmann(np.array([1.0, 2, 3, 4, 5.5])).reason or "")
    with pytest.raises(Contradiction, match="2 rows, 1 patients"):
        compare_paired([1, 2], [1, 2], ["a"])
    with pytest.raises(SettingsError, match=r"found 1\.2"):
        holm([0.2, 1.2])


def test_ties_and_zeros_raise_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for d in ([1, 1, 2, 2, 3, -1], [0, 0, 0, 0, 0, 1], [1, -1, 1, -1, 2, -2]):
            assert compare_paired(d, np.zeros(6), np.arange(6)).wilcoxon_p is not None


# one column of scores


def test_a_summary_counts_what_has_no_value_and_finds_the_worst() -> None:
    scores = [*np.linspace(0.5, 1.0, 101), None, np.nan]
    found = summary(scores, np.arange(103), worse="low")
    assert (found.scores, found.undefined, found.patients) == (101, 2, 101)
    assert found.mean.estimate == pytest.approx(0.75) and found.median.estimate == pytest.approx(0.75)
    assert found.worst_5_percent.estimate == pytest.approx(0.525) and found.worst == 0.5
    assert found.quartiles == pytest.approx((0.625, 0.875))
    assert summary(scores, np.arange(103), worse="high").worst_5_percent.estimate == pytest.approx(0.975)
    assert found.mean.low < 0.75 < found.mean.high


def test_what_a_summary_cannot_say() -> None:
    none = summary([None, np.nan], ["a", "b"], worse="low")
    assert none.mean.estimate is None and none.mean.reason == "there are no rows" and none.quartiles is None
    one = summary([0.9], ["a"], worse="high")
    assert one.mean.estimate == 0.9 and one.sd is None and "at least 5 patients, found 1" in (one.mean.reason or "")
    with pytest.raises(Contradiction, match="2 scores, 1 patients"):
        summary([1, 2], ["a"], worse="low")
    with pytest.raises(SettingsError, match='"low" or "high"'):
        summary([1], ["a"], worse="bad")  # type: ignore[arg-type]
