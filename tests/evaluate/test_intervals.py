"""The patient-clustered bootstrap against a plain second implementation, scipy, formulas and its promised coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from livermre.evaluate.interval import Interval, not_defined
from livermre.evaluate.intervals import clustered_bootstrap, clustered_bootstrap_of_sums, clustered_bootstraps_of_sums
from livermre.evaluate.resampling import clusters_of
from livermre.exam.errors import Contradiction, SettingsError


def cohort(patients: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Values and patients: one to six rows a patient, in mixed order, patients differ more than their rows."""
    rng = np.random.default_rng(seed)
    label = np.repeat(np.arange(patients), rng.integers(1, 7, patients))
    value = rng.gamma(2.0, 1.0, patients)[label] + rng.normal(0, 0.2, label.size)
    shuffled = rng.permutation(label.size)
    return value[shuffled], label[shuffled]


def plainly(statistic, label: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """The resamples the slow way: choose patients, walk over them, put their rows side by side."""
    rng = np.random.default_rng(seed)
    names = sorted(set(label.tolist()))
    out = []
    for _ in range(draws):
        chosen = rng.integers(0, len(names), len(names))
        rows = [i for c in chosen for i, name in enumerate(label.tolist()) if name == names[c]]
        out.append(statistic(np.array(rows)))
    return np.array(out)


def test_resamples_are_whole_patients_as_a_plain_loop_draws_them() -> None:
    value, label = cohort(12)
    found = clustered_bootstrap(lambda i: np.median(value[i]), label, draws=200, seed=3)
    slow = plainly(lambda i: np.median(value[i]), label, 200, 3)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(slow, [0.025, 0.975])))
    assert found.estimate == np.median(value)
    assert (found.draws, found.n, found.method, found.reason) == (200, 12, "percentile", None)


def test_sums_give_what_rows_give() -> None:
    value, label = cohort()
    a = clustered_bootstrap(lambda i: value[i].mean(), label, draws=300, seed=5, method="bca")
    b = clustered_bootstrap_of_sums(
        lambda s: s[:, 0] / s[:, 1], np.stack([value, np.ones_like(value)], 1), label, draws=300, seed=5, method="bca"
    )
    assert (a.estimate, a.low, a.high) == pytest.approx((b.estimate, b.low, b.high), rel=1e-12)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_one_row_a_patient_agrees_with_scipy(method: str) -> None:
    value = np.random.default_rng(2).gamma(1.0, 2.0, 30)  # skewed, so that BCa and percentile differ
    rows = np.stack([value, np.ones(30)], 1)
    mine = clustered_bootstrap_of_sums(
        lambda s: s[:, 0] / s[:, 1], rows, np.arange(30), draws=2000, method=method, seed=9
    )
    # scipy draws the same numbers from the same generator, so the two agree to rounding
    other = stats.bootstrap((value,), np.mean, n_resamples=2000, method=method, rng=np.random.default_rng(9))
    assert (mine.low, mine.high) == pytest.approx(tuple(other.confidence_interval), rel=1e-9)


def test_bca_leans_with_the_skew_and_percentile_does_not() -> None:
    value = np.random.default_rng(2).gamma(1.0, 2.0, 30)
    rows = np.stack([value, np.ones(30)], 1)
    plain, bca = (
        clustered_bootstrap_of_sums(lambda s: s[:, 0] / s[:, 1], rows, np.arange(30), method=m)
        for m in ("percentile", "bca")
    )
    assert bca.low > plain.low and bca.high > plain.high


def test_the_interval_covers_as_often_as_it_says_and_rows_alone_do_not() -> None:
    """100 patients of 4 rows, intraclass correlation 0.8, mean 0: 95 % of the intervals hold the mean."""
    rng = np.random.default_rng(1)
    repeats, label = 200, np.repeat(np.arange(100), 4)
    held = np.zeros(2)
    for i in range(repeats):
        value = np.repeat(rng.normal(0, 2, 100), 4) + rng.normal(0, 1, 400)
        rows = np.stack([value, np.ones(400)], 1)
        for k, clusters in enumerate((label, np.arange(400))):
            found = clustered_bootstrap_of_sums(lambda s: s[:, 0] / s[:, 1], rows, clusters, draws=120, seed=i)
            held[k] += found.low <= 0 <= found.high
    # binomial SE at 200 repeats is 1.5 %; quantiles of 120 draws and n = 100 cost about 1 % of coverage
    assert 0.9 <= held[0] / repeats <= 0.98
    assert held[1] / repeats < 0.8  # rows taken as independent: half the width, 70 % coverage


def test_the_interval_of_a_mean_matches_its_formula() -> None:
    value, label = cohort(400, seed=8)
    first = np.unique(label, return_index=True)[1]
    found = clustered_bootstrap(lambda i: value[first][i].mean(), label[first], draws=2000)
    half = 1.96 * value[first].std(ddof=1) / np.sqrt(400)
    assert (found.estimate - found.low, found.high - found.estimate) == pytest.approx((half, half), rel=0.1)


def test_an_array_gives_one_interval_an_entry_from_the_same_resamples() -> None:
    value, label = cohort()
    both = clustered_bootstrap(lambda i: np.array([value[i].mean(), value[i].std()]), label, draws=100)
    assert isinstance(both, tuple) and len(both) == 2
    assert both[1] == clustered_bootstrap(lambda i: value[i].std(), label, draws=100)


def test_a_paired_difference_is_narrower_than_its_parts() -> None:
    value, label = cohort()
    other = value + 0.1 + np.random.default_rng(0).normal(0, 0.05, value.size)
    apart = clustered_bootstrap(lambda i: other[i].mean() - value[i].mean(), label, draws=500)
    alone = clustered_bootstrap(lambda i: value[i].mean(), label, draws=500)
    assert apart.low > 0.05 and apart.high < 0.15
    assert apart.high - apart.low < 0.2 * (alone.high - alone.low)


def test_same_seed_same_interval_and_labels_may_be_words() -> None:
    value, label = cohort()
    one = clustered_bootstrap(lambda i: value[i].mean(), label, draws=100, seed=4)
    words = np.array([f"p{k:03d}" for k in label])
    assert one == clustered_bootstrap(lambda i: value[i].mean(), words, draws=100, seed=4)
    assert one == clustered_bootstrap(lambda i: value[i].mean(), words.tolist(), draws=100, seed=4)
    assert one != clustered_bootstrap(lambda i: value[i].mean(), label, draws=100, seed=5)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_too_few_patients_have_an_estimate_and_no_interval(method: str) -> None:
    value = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    found = clustered_bootstrap(lambda i: value[i].mean(), [1, 1, 2, 2, 3, 4], method=method)
    assert (found.estimate, found.low, found.high) == (3.5, None, None)
    assert found.reason is not None and "at least 5 patients, found 4" in found.reason
    again = clustered_bootstrap_of_sums(lambda s: s[:, 0] / 6, value[:, None], [1, 1, 2, 2, 3, 4], method=method)
    assert again.low is None and again.reason == found.reason


def test_what_never_varies_has_no_interval() -> None:
    found = clustered_bootstrap(lambda i: 1.0, np.arange(20))
    assert found.estimate == 1.0 and found.low is None and "same value" in (found.reason or "")


def test_a_statistic_that_is_often_undefined_has_no_interval_and_one_that_seldom_is_counts_it() -> None:
    flag = np.zeros(20)
    flag[0] = 1  # a resample lacks this patient with chance (19/20)^20 = 36 %
    found = clustered_bootstrap(lambda i: 1 + i.mean() if flag[i].any() else np.nan, np.arange(20))
    assert found.low is None and 600 < found.undefined < 850
    assert found.reason is not None and "not defined in 3" in found.reason
    flag[:4] = 1  # (16/20)^20 = 1.2 %
    found = clustered_bootstrap(lambda i: 1 + i.mean() if flag[i].any() else np.nan, np.arange(20))
    assert found.low is not None and 5 < found.undefined < 60


def test_undefined_on_the_data_and_no_rows_are_said() -> None:
    found = clustered_bootstrap(lambda i: np.nan, np.arange(9))
    assert found.estimate is None and "not defined on these data" in (found.reason or "")
    assert clustered_bootstrap(lambda i: 1.0, []).reason == "there are no rows"
    two = clustered_bootstraps_of_sums(lambda s: s[:, :2] / s[:, 2:], np.empty((0, 3)), [])
    assert [i.reason for i in two] == ["there are no rows"] * 2


def test_several_statistics_of_sums_are_those_of_rows() -> None:
    value, label = cohort()
    rows = np.stack([value, value**2, np.ones_like(value)], 1)
    pair = clustered_bootstraps_of_sums(lambda s: s[:, :2] / s[:, 2:], rows, label, draws=100)
    assert len(pair) == 2
    slow = clustered_bootstrap(lambda i: (value[i] ** 2).mean(), label, draws=100)
    assert (pair[1].estimate, pair[1].low, pair[1].high) == pytest.approx((slow.estimate, slow.low, slow.high))


def test_bca_says_where_it_cannot_be_made() -> None:
    value = np.zeros(12)
    value[0] = 1.0
    found = clustered_bootstrap(
        lambda i: value[i].std() if value[i].any() or i.size == 12 else np.nan, np.arange(12), method="bca"
    )
    assert found.low is None and "leaves out each patient" in (found.reason or "")


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(SettingsError, match='"percentile" or "bca"'):
        clustered_bootstrap(lambda i: 1.0, [1, 2], method="basic")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="at least 40 draws, found 39"):
        clustered_bootstrap(lambda i: 1.0, [1, 2], draws=39)
    with pytest.raises(SettingsError, match="found 95"):
        clustered_bootstrap(lambda i: 1.0, [1, 2], level=95)
    with pytest.raises(SettingsError, match="1 of 2 have none"):
        clustered_bootstrap(lambda i: 1.0, ["a", None])
    with pytest.raises(SettingsError, match="1 of 2 have none"):
        clustered_bootstrap(lambda i: 1.0, ["a", " "])
    with pytest.raises(SettingsError, match="1 of 2 have none"):
        clustered_bootstrap(lambda i: 1.0, np.array([1.0, np.nan]))
    with pytest.raises(SettingsError, match="one label a row"):
        clustered_bootstrap(lambda i: 1.0, np.ones((2, 2)))
    with pytest.raises(Contradiction, match=r"must be \(3, K\)"):
        clustered_bootstrap_of_sums(lambda s: s[:, 0], np.ones((2, 1)), [1, 2, 3])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.integers(0, 100))
def test_a_resample_holds_whole_patients_and_a_jackknife_all_but_one(label: list[int], seed: int) -> None:
    groups = clusters_of(label)
    names = np.unique(label)
    chosen = np.random.default_rng(seed).integers(0, names.size, names.size)
    rows = groups.rows_of(chosen)
    for k, name in enumerate(names):
        wanted = np.repeat(np.flatnonzero(np.array(label) == name), (chosen == k).sum())
        assert sorted(rows[np.isin(rows, wanted)]) == sorted(wanted)
        assert sorted(groups.without(k)) == [i for i, x in enumerate(label) if x != name]
    assert rows.size == sum(label.count(int(names[c])) for c in chosen)


def test_an_interval_speaks() -> None:
    assert str(Interval(0.9, 0.85, 0.95)) == "0.9 (95 % CI 0.85 to 0.95)"
    assert str(not_defined("one class only")) == "not defined (one class only)"
    assert "no interval: few" in str(not_defined("few", estimate=2.0))
    turned = Interval(1.0, 0.5, 2.0).scaled(-2)
    assert (turned.estimate, turned.low, turned.high) == (-2, -4, -1)
