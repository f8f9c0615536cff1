"""Cut-off tables and the band of an exam."""

from dataclasses import replace

import numpy as np
import pytest

from livermre.exam.errors import SettingsError
from livermre.exam.types import Acquisition, Stiffness
from livermre.stiffness import CutoffTable, load_table, stage, table_names
from livermre.stiffness.stage import band_probabilities

GE_60 = Acquisition("GE", 1.5, 60.0, "2D GRE", "2D")


def found(mean: float | None, half: float | None = 0.4) -> Stiffness:
    repeat = None if mean is None or half is None else (mean - half, mean + half)
    return Stiffness((), mean, 0.3, 0.1, 5000.0, 2000, repeat, repeat)


@pytest.mark.parametrize("name", table_names())
def test_every_table_is_whole(name: str) -> None:
    table = load_table(name)
    assert table.name == name and table.title and table.population and table.source
    assert table.frequency_hz == 60.0 and table.dimension == "2D"
    assert table.verified is not name.endswith("-unverified")


@pytest.mark.parametrize(
    ("name", "cutoffs"),
    [
        ("rdes149", (2.5, 2.9, 3.5, 4.0, 5.0)),
        ("liang2023", (3.14, 3.53, 4.45)),
        ("wu2015", (2.80,)),
        ("loomba2014", (3.63,)),
        ("kim2013", (4.15,)),
        ("singh2015-unverified", (3.45, 3.66, 4.11, 4.71)),
        ("singh2016-unverified", (2.88, 3.54, 3.77, 4.09)),
        ("hsu2019-unverified", (2.61, 2.97, 3.62, 4.69)),
    ],
)
def test_numbers_are_those_of_the_reference(name: str, cutoffs: tuple[float, ...]) -> None:
    assert load_table(name).cutoffs_kpa == cutoffs


def test_all_tables_are_listed_above() -> None:
    assert len(table_names()) == 8


def test_unknown_table_names_those_that_exist() -> None:
    with pytest.raises(SettingsError, match=r"no cut-off table is called 'rdes'; there are: .*rdes149"):
        load_table("rdes")
    with pytest.raises(SettingsError):
        load_table("../settings")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cutoffs_kpa": (3.0, 2.0), "bands": ("a", "b", "c")}, "must be positive and rise"),
        ({"bands": ("a",)}, "need one more different bands"),
        ({"bands": ("a", "a")}, "need one more different bands"),
        ({"verified": False}, "ending in -unverified"),
        ({"frequency_hz": 0.0}, "needs a frequency"),
    ],
)
def test_contradicting_tables_are_refused(change: dict, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        replace(load_table("wu2015"), **change)


@pytest.mark.parametrize(
    ("kpa", "band"),
    [
        (2.49, "normal"),
        (2.5, "normal or inflammation"),
        (3.2, "stage 1-2"),
        (4.0, "stage 3-4"),
        (7, "stage 4 or cirrhosis"),
    ],
)
def test_band_and_margin(kpa: float, band: str) -> None:
    # catches: a cut-off counted to the band below
    result, flags = stage(found(kpa, 0.01), load_table("rdes149"), GE_60)
    assert result is not None and result.band == band and {f.code for f in flags} <= {"band_uncertain"}
    assert result.margin_kpa == pytest.approx(min(abs(kpa - c) for c in (2.5, 2.9, 3.5, 4.0, 5.0)))
    assert (result.table, result.frequency_hz) == ("rdes149", 60.0)


@pytest.mark.parametrize("kpa", [0.8, 2.5, 3.1, 4.9, 12.0])
@pytest.mark.parametrize("half", [0.0, 1e-9, 0.3, 5.0])
@pytest.mark.parametrize("name", ["rdes149", "wu2015"])
def test_chances_sum_to_one(kpa: float, half: float, name: str) -> None:
    result, _ = stage(found(kpa, half), load_table(name), GE_60)
    chances = list(result.probabilities.values())
    assert sum(chances) == pytest.approx(1.0, abs=1e-12)
    assert min(chances) >= 0 and tuple(result.probabilities) == result.bands


def test_chances_in_limit_cases() -> None:
    # catches: SD taken for half a 95 % interval, tails that are lost at the first and last band
    table = load_table("wu2015")
    assert list(band_probabilities(2.8, 0.3, table).values()) == pytest.approx([0.5, 0.5])
    assert list(band_probabilities(2.8, 0.0, table).values()) == [0.0, 1.0]
    assert list(band_probabilities(2.79, 0.0, table).values()) == [1.0, 0.0]
    result, _ = stage(found(2.4, 0.4), table, GE_60)  # the upper end of a 95 % interval lies on the cut-off
    assert result.probabilities["F2 cut-off or above"] == pytest.approx(0.025, abs=1e-6)


def test_an_interval_cut_at_zero_does_not_narrow_the_chances() -> None:
    cut = replace(found(1.0), repeat_interval_95_kpa=(0.0, 2.8))
    result, _ = stage(cut, load_table("wu2015"), GE_60)
    assert result.probabilities["F2 cut-off or above"] == pytest.approx(0.025, abs=1e-6)


def test_a_band_less_likely_than_not_is_said() -> None:
    _, sure = stage(found(3.2, 0.4), load_table("rdes149"), GE_60)
    assert sure == ()
    result, flags = stage(found(3.2, 1.2), load_table("rdes149"), GE_60)
    assert result is not None and result.probabilities["stage 1-2"] < 0.5
    assert [f.code for f in flags] == ["band_uncertain"] and "'stage 1-2' is only" in flags[0].message


def test_without_interval_there_are_no_chances() -> None:
    result, _ = stage(found(3.0, None), load_table("rdes149"), GE_60)
    assert result.band == "stage 1-2" and result.probabilities is None


def test_without_number_there_is_no_stage_and_no_second_flag() -> None:
    assert stage(found(None), load_table("rdes149"), GE_60) == (None, ())


@pytest.mark.parametrize(
    ("acquisition", "codes"),
    [
        (replace(GE_60, frequency_hz=40.0), ["table_frequency_mismatch"]),
        (replace(GE_60, frequency_hz=50.0), ["table_frequency_mismatch"]),
        (replace(GE_60, dimension="3D"), ["table_frequency_mismatch"]),
        (replace(GE_60, frequency_hz=None), ["no_frequency"]),
    ],
)
def test_tables_for_other_exams_are_refused(acquisition: Acquisition, codes: list[str]) -> None:
    result, flags = stage(found(3.0), load_table("rdes149"), acquisition)
    assert result is None and [f.code for f in flags] == codes


def test_refusal_names_both_sides() -> None:
    _, flags = stage(found(3.0), load_table("rdes149"), replace(GE_60, frequency_hz=40.0, dimension="3D"))
    assert "rdes149 holds for 60 Hz and 2D; this exam has 40 Hz, 3D" in flags[0].message


def test_a_driver_at_60_point_1_hz_and_an_unknown_dimension_are_taken() -> None:
    result, flags = stage(found(3.0), load_table("rdes149"), replace(GE_60, frequency_hz=60.1, dimension=None))
    assert result is not None and [f.code for f in flags] == ["dimension_assumed"]


def test_unverified_numbers_are_said() -> None:
    result, flags = stage(found(3.0), load_table("singh2015-unverified"), GE_60)
    assert [f.code for f in flags] == ["table_unverified"]
    assert result.source.endswith("(numbers not verified)") and result.table.endswith("-unverified")


def test_bands_never_name_a_disease_stage_alone() -> None:
    # a band of a single study is "above the F2 cut-off", never "F2"
    for name in table_names():
        table: CutoffTable = load_table(name)
        assert np.all([b not in ("F0", "F1", "F2", "F3", "F4", "cirrhosis") for b in table.bands])


@pytest.mark.parametrize("mean", [2.2, None])
def test_another_quantity_than_that_of_the_cutoffs_gets_no_stage(mean: float | None) -> None:
    got, flags = stage(found(mean), load_table("rdes149"), GE_60, "rho c^2")
    assert got is None and [f.code for f in flags] == ["quantity_not_g"]
    assert "rho c^2" in flags[0].message and "wave speed" in flags[0].message
    assert stage(found(2.2), load_table("rdes149"), GE_60, "|G*|")[0] is not None
