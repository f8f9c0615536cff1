"""Intraclass correlation against Shrout and Fleiss, pingouin, and populations of raters."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate.answers import ends, refused
from evaluate.published import SHROUT_FLEISS
from livermre.evaluate.icc import icc
from livermre.exam.errors import SettingsError


def test_shrout_and_fleiss() -> None:
    found = icc(SHROUT_FLEISS)
    assert round(found.agreement.estimate, 2) == 0.29
    assert round(found.consistency.estimate, 2) == 0.71
    assert (found.subjects, found.raters, found.left_out) == (6, 4, 0)
    # intervals printed by R's psych::ICC for the same table: 0.019 to 0.76, and 0.34 to 0.95
    assert ends(found.agreement) == pytest.approx((0.019, 0.76), abs=5e-3)
    assert ends(found.consistency) == pytest.approx((0.34, 0.95), abs=5e-3)


@pytest.mark.parametrize(("n", "k", "bias"), [(6, 4, 0), (30, 2, 0.5), (12, 3, 2.0)])
def test_icc_is_pingouins(n: int, k: int, bias: float) -> None:
    import pandas as pd
    import pingouin

    rng = np.random.default_rng(n)
    table = SHROUT_FLEISS if n == 6 else rng.normal(0, 2, (n, 1)) + bias * np.arange(k) + rng.normal(0, 0.5, (n, k))
    rows, columns = np.meshgrid(range(n), range(k), indexing="ij")
    long = pd.DataFrame({"subject": rows.ravel(), "rater": columns.ravel(), "value": table.ravel()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = pingouin.intraclass_corr(long, "subject", "rater", "value")
    interval = next(c for c in other.columns if c.startswith("CI95"))
    names = {"ICC(A,1)": "agreement", "ICC2": "agreement", "ICC(C,1)": "consistency", "ICC3": "consistency"}
    checked = 0
    for _, row in other.iterrows():
        if row["Type"] in names:
            mine = getattr(icc(table), names[row["Type"]])
            assert mine.estimate == pytest.approx(row["ICC"])
            assert ends(mine) == pytest.approx(tuple(row[interval]), abs=0.0051)  # pingouin may round to two digits
            checked += 1
    assert checked == 2


def test_icc_intervals_cover_a_population_of_raters() -> None:
    """Subjects SD 2, raters SD 0.5, error SD 1: ICC(A,1) = 4 / 5.25, ICC(C,1) = 4 / 5."""
    rng, held = np.random.default_rng(3), np.zeros(2)
    for _ in range(400):
        found = icc(rng.normal(0, 2, (25, 1)) + rng.normal(0, 0.5, (1, 4)) + rng.normal(0, 1, (25, 4)))
        held += [ends(found.agreement)[0] <= 4 / 5.25 <= ends(found.agreement)[1],
                 ends(found.consistency)[0] <= 0.8 <= ends(found.consistency)[1]]  # fmt: skip
    assert held / 400 == pytest.approx((0.95, 0.95), abs=0.033)  # binomial SE 1.1 %


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 10), st.floats(-5, 5))
def test_laws_of_icc(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    table = rng.normal(0, 2, (8, 1)) + rng.normal(0, 1, (8, 3))
    found = icc(table)
    moved = icc(scale * table[:, ::-1] + shift)
    assert ends(moved.agreement) == pytest.approx(ends(found.agreement))
    biased = icc(table + shift * np.arange(3))  # consistency forgives a rater's bias
    assert ends(biased.consistency) == pytest.approx(ends(found.consistency))
    assert icc(np.vstack([table, [1, 2, np.nan]])).left_out == 1
    assert icc(np.vstack([table, [1, 2, np.nan]])).agreement == found.agreement


def test_what_icc_cannot_say() -> None:
    rng = np.random.default_rng(0)
    assert "at least 2 subjects" in icc(np.ones((1, 3))).agreement.reason
    assert refused(icc(rng.normal(size=(4, 2))).agreement, "at least 5 subjects, found 4")
    assert icc(np.full((9, 2), 3.3)).agreement.reason == "the ratings do not vary"
    same = icc(np.repeat(rng.normal(3, 1, (9, 1)), 2, axis=1))
    assert same.agreement.estimate == 1 and refused(same.agreement, "agree exactly")
    shifted = icc(rng.normal(3, 1, (9, 1)) + np.array([[0, 0.5]]))
    assert shifted.consistency.estimate == 1 and refused(shifted.consistency, "constants only")
    assert shifted.agreement.estimate < 1 and shifted.agreement.low is not None
    with pytest.raises(SettingsError, match="two raters or more"):
        icc(np.ones((9, 1)))
