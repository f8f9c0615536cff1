"""Change since an earlier exam."""

from dataclasses import replace

import pytest

from livermre.exam.errors import InputError
from livermre.exam.types import Acquisition, Stiffness
from livermre.stiffness import compare

GE_60 = Acquisition("GE", 1.5, 60.0, "2D GRE", "2D")
EARLIER = {
    "stiffness_kpa": 2.0,
    "reportable": True,
    "acquisition": {"vendor": "GE", "field_t": 1.5, "frequency_hz": 60.0, "sequence": "2D GRE", "dimension": "2D"},
    "provenance": {"stiffness_source": "vendor"},
}


def now(mean: float | None) -> Stiffness:
    return Stiffness((), mean, 0.3, 0.1, 5000.0, 2000)


@pytest.mark.parametrize(
    ("kpa", "percent", "exceeds"), [(2.38, 19.0, True), (2.37, 18.5, False), (1.62, -19.0, True), (2.0, 0.0, False)]
)
def test_change_is_relative_to_the_earlier_exam(kpa: float, percent: float, exceeds: bool) -> None:
    # catches: percent of the mean of both or of the later one; a fall that never counts; > instead of >=
    change = compare(now(kpa), GE_60, EARLIER)
    assert change.change_kpa == pytest.approx(kpa - 2.0)
    assert change.change_percent == pytest.approx(percent)
    assert change.exceeds_limit is exceeds
    assert "19 % limit of the QIBA profile" in change.remark and "not verified" in change.remark


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("vendor", "Siemens", "vendor differs (GE then, Siemens now)"),
        ("sequence", "SE-EPI", "sequence differs"),
        ("frequency_hz", 40.0, "frequency differs (60.0 then, 40.0 now)"),
        ("field_t", 3.0, "field strength differs"),
        ("dimension", "3D", "dimension differs"),
        ("field_t", None, "field strength of one exam is not known"),
        ("sequence", "", "sequence of one exam is not known"),
    ],
)
def test_across_machines_the_limit_does_not_apply(field: str, value: object, words: str) -> None:
    change = compare(now(4.0), replace(GE_60, **{field: value}), EARLIER)
    assert change.exceeds_limit is None and change.change_percent == pytest.approx(100.0)
    assert "does not apply" in change.remark and words in change.remark


def test_small_differences_of_headers_are_the_same_machine() -> None:
    same = replace(GE_60, vendor="ge ", frequency_hz=60.1, field_t=1.494)
    assert compare(now(4.0), same, EARLIER).exceeds_limit is True


def test_another_inversion_or_an_old_file_without_acquisition() -> None:
    assert "inversion differs" in compare(now(4.0), GE_60, EARLIER, stiffness_source="livermre").remark
    assert compare(now(4.0), GE_60, EARLIER, stiffness_source="vendor").exceeds_limit is True
    old = {k: v for k, v in EARLIER.items() if k != "acquisition"}
    assert compare(now(4.0), GE_60, old).exceeds_limit is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reportable": False, "stiffness_kpa": None}, "earlier exam was not reportable"),
        ({"reportable": False}, "earlier exam was not reportable"),
        ({"stiffness_kpa": "2.0"}, "must be a number above zero, found '2.0'"),
        ({"stiffness_kpa": float("nan")}, "must be a number above zero"),
        ({"stiffness_kpa": -2}, "must be a number above zero"),
    ],
)
def test_useless_earlier_findings_are_refused(change: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        compare(now(2.0), GE_60, {**EARLIER, **change})


DRAWN = {"roi": {"erode_mm": 10.0, "speck_mm2": 100.0}, "region_sha256": None, "liver_sha256": None}


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ({}, None),
        (
            {"region_sha256": "a"},
            "different kinds (a given region then, livermre's region in its own liver outline now)",
        ),
        ({"liver_sha256": "a"}, "livermre's region in a given liver outline then"),
        ({"roi": {"erode_mm": 5.0, "speck_mm2": 100.0}}, "erode_mm of the region differs (5 then, 10 now)"),
        ({"roi": {"erode_mm": 10.0}}, "speck_mm2 of the region differs (not set then, 100 now)"),
        (None, "how the earlier region was drawn is not known"),
    ],
)
def test_regions_drawn_otherwise_are_a_caution(then: dict | None, words: str | None) -> None:
    settings = {} if then is None else {"settings": DRAWN | then}
    earlier = EARLIER | {"provenance": {"stiffness_source": "vendor"} | settings}
    change = compare(now(2.38), GE_60, earlier, drawn=DRAWN)
    assert change.exceeds_limit is True  # the verdict stays, the reader is warned
    assert ("Caution" in change.remark) is (words is not None) and (words or "") in change.remark


def test_two_given_regions_need_no_caution() -> None:
    given = DRAWN | {"region_sha256": "a"}
    earlier = EARLIER | {"provenance": {"settings": given | {"region_sha256": "b", "roi": {}}}}
    assert "Caution" not in compare(now(2.38), GE_60, earlier, drawn=given).remark


def test_another_json_is_no_finding() -> None:
    with pytest.raises(InputError, match=r"no finding\.json of livermre"):
        compare(now(2.0), GE_60, {"a": 1})


def test_without_a_number_now_there_is_no_change() -> None:
    assert compare(now(None), GE_60, EARLIER) is None


HOW = {"method": "helmholtz", "start": "phase", "settings": {"method": "helmholtz", "edge_mm": 5.0, "window": None}}


def by_us(inversion: object = None, **more: object) -> dict:
    return EARLIER | {"provenance": {"stiffness_source": "livermre", "inversion": inversion} | more}


@pytest.mark.parametrize(
    ("earlier", "words"),
    [
        (by_us(HOW), None),
        (by_us(HOW | {"settings": HOW["settings"] | {"method": "aide"}}), "method aide then, helmholtz now"),
        (by_us(HOW | {"settings": HOW["settings"] | {"edge_mm": 3.0}}), "edge_mm 3 then, 5 now"),
        (by_us(HOW | {"start": "wave"}), "start wave then, phase now"),
        (by_us(HOW | {"components": "curl"}), "components curl then, one now"),
        (by_us(HOW | {"settings": {"method": "helmholtz", "edge_mm": 5.0}}), "window not set then"),
        (by_us(), "settings of one exam are not known"),
        (by_us("broken"), "settings of one exam are not known"),
        # settings that were recorded though a set was measured say nothing of that set
        (by_us(settings={"inversion": HOW["settings"]}), "settings of one exam are not known"),
        (by_us(settings={"inversion": HOW["settings"]}) | {"inversion": {"method": "helmholtz"}}, None),
    ],
)
def test_two_inversions_of_ours_must_be_alike(earlier: dict, words: str | None) -> None:
    change = compare(now(2.5), GE_60, earlier, stiffness_source="livermre", inversion=HOW)
    assert change.exceeds_limit is (True if words is None else None)
    assert (words or "exceeds the 19 % limit") in change.remark


def test_an_inversion_of_ours_that_is_not_known_now_is_no_ground_for_the_limit() -> None:
    assert compare(now(2.5), GE_60, by_us(HOW), stiffness_source="livermre").exceeds_limit is None


def test_the_scanners_maps_are_not_asked_for_settings_of_ours() -> None:
    assert compare(now(2.5), GE_60, EARLIER, stiffness_source="vendor", inversion=HOW).exceeds_limit is True


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"quantity": "magnitude of the complex shear modulus |G*|"}, None),
        ({"quantity": "density times the square of the wave speed, rho c^2"}, "quantity differs"),
        ({}, "quantity of one exam is not known"),
        # a finding of an earlier livermre, which called every map |G*|
        ({"quantity": "... |G*|", "inversion": {"quantity": "rho c^2"}}, "quantity differs"),
    ],
)
def test_different_quantities_are_not_judged(more: dict, words: str | None) -> None:
    change = compare(now(2.5), GE_60, EARLIER | more, quantity="|G*|")
    assert change.exceeds_limit is (True if words is None else None)
    assert (words or "exceeds the 19 % limit") in change.remark
