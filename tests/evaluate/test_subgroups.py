"""Strata: every row in exactly one, small and one-sided ones said and not computed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livermre.evaluate.roc import auroc
from livermre.evaluate.subgroups import BMI_EDGES, band_labels, band_names, subgroups
from livermre.exam.errors import Contradiction, SettingsError


@given(st.lists(st.sampled_from(["GE", "Siemens", "Philips", None, ""]), min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_every_row_is_in_exactly_one_stratum(vendor: list[str | None]) -> None:
    found = subgroups(lambda rows: rows, vendor, minimum=1)
    rows = np.concatenate([g.value for g in found if g.value is not None])
    assert sorted(rows.tolist()) == list(range(len(vendor)))
    for group in found:
        assert group.value is not None
        assert all((vendor[i] or "unknown") == group.name for i in group.value)
        assert group.n == group.value.size
    names = [g.name for g in found]
    assert names[:-1] == sorted(n for n in names if n != "unknown")[: len(names) - 1]
    assert "unknown" not in names[:-1]


def test_a_statistic_is_that_of_the_stratum_alone() -> None:
    rng = np.random.default_rng(15)
    truth, field = rng.random(80) < 0.5, np.where(np.arange(80) % 2, 3.0, 1.5)
    score = rng.normal(size=80) + truth * field
    found = subgroups(lambda rows: auroc(truth[rows], score[rows]), field, positive=truth)
    assert [g.name for g in found] == ["1.5", "3"]
    assert found[0].value == auroc(truth[field == 1.5], score[field == 1.5])


def test_small_and_one_sided_strata_say_why() -> None:
    stage = [0] * 6 + [1] * 4 + [2] * 6 + [np.nan] * 5
    positive = [0, 1, 0, 1, 0, 1] + [0, 1, 0, 1] + [1] * 6 + [0, 1, 0, np.nan, 1]
    found = {g.name: g for g in subgroups(len, stage, positive=positive)}
    assert list(found) == ["0", "1", "2", "unknown"]
    assert found["0"].value == 6 and found["0"].reason is None
    assert found["1"].value is None and found["1"].reason == "not computed: 4 patients, fewer than 5"
    assert found["2"].reason == "not computed: only one class (6 positive, 0 negative)"
    assert found["unknown"].value == 5


def test_patients_are_counted_and_not_their_rows() -> None:
    vendor, patient = ["GE"] * 9 + ["Philips"] * 6, [*"aabbccddd", *"efghij"]
    ge, philips = subgroups(len, vendor, patient=patient)
    assert ge.n == 4 and ge.value is None
    assert philips.n == 6 and philips.value == 6


def test_strata_of_numbers_sort_as_numbers_and_an_order_lists_the_empty_ones() -> None:
    assert [g.name for g in subgroups(len, [10, 9, 2.5, 10])] == ["2.5", "9", "10"]
    found = subgroups(len, band_labels([22.0] * 5 + [31.0] * 6, BMI_EDGES), order=band_names(BMI_EDGES))
    assert [(g.name, g.n, g.value) for g in found] == [
        ("< 18.5", 0, None),
        ("18.5-25", 5, 5),
        ("25-30", 0, None),
        (">= 30", 6, 6),
    ]
    with pytest.raises(SettingsError, match="missing in the order of the table: found GE"):
        subgroups(len, ["GE"] * 5, order=["Siemens"])


def test_an_edge_opens_the_band_above_it() -> None:
    assert band_labels([18.4, 18.5, 25, 29.9, 30, np.nan], BMI_EDGES) == [
        "< 18.5",
        "18.5-25",
        "25-30",
        "25-30",
        ">= 30",
        "unknown",
    ]
    with pytest.raises(SettingsError, match="edges of bands"):
        band_names([30, 25])


def test_wrong_lengths_are_refused() -> None:
    with pytest.raises(Contradiction, match="positive must have one length"):
        subgroups(len, ["GE"] * 5, positive=[0, 1])
    with pytest.raises(Contradiction, match="patients must have one length"):
        subgroups(len, ["GE"] * 5, patient=["a"])
