"""finding.json: the keys that people's scripts rely on, null rules, no identity, valid JSON, the same bytes twice."""

import json
from dataclasses import replace

import numpy as np
import pytest

from livermre.report import finding_json
from livermre.report.finding_json import finding_bytes
from report.cases import CHANGE, HOSTILE, blocked, finding, unmeasured

PROMISED = {
    "stiffness_kpa", "stiffness_sd_kpa", "interval_95_kpa", "repeat_interval_95_kpa", "roi_area_mm2", "reportable",
    "stage", "slices", "flags", "provenance", "acquisition", "exam", "quantity", "research_use",
}  # fmt: skip
SLICE = {"z_mm", "mean_kpa", "sd_kpa", "area_mm2", "liver_area_mm2", "flags"}
PROVENANCE = {"livermre", "model", "model_sha256", "settings", "inputs_sha256", "stiffness_source"}


def test_promised_keys_are_there():
    made = finding_json(finding())
    assert set(made) >= PROMISED
    assert all(set(row) >= SLICE for row in made["slices"])
    assert set(made["provenance"]) >= PROVENANCE
    assert set(made["stage"]) >= {"table", "band", "probabilities"}
    assert set(made["acquisition"]) == {
        "vendor", "field_t", "frequency_hz", "frequencies_hz", "sequence", "dimension",
    }  # fmt: skip
    assert made["quantity"] == "magnitude of the complex shear modulus |G*|"


def test_numbers_are_those_of_the_finding():
    made, source = finding_json(finding()), finding()
    assert made["stiffness_kpa"] == pytest.approx(source.stiffness.mean_kpa, abs=5e-5)  # four decimals are written
    assert made["interval_95_kpa"] == pytest.approx(source.stiffness.interval_95_kpa, abs=5e-5)
    assert [row["z_mm"] for row in made["slices"]] == [0, 10, 20, 30]
    assert sum(made["stage"]["probabilities"].values()) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("make", [blocked, unmeasured])
def test_not_reportable_has_no_number_anywhere(make):
    made = finding_json(make())
    assert made["reportable"] is False
    for key in ("stiffness_kpa", "stiffness_sd_kpa", "interval_95_kpa", "repeat_interval_95_kpa", "stage"):
        assert made[key] is None
    assert all(row[key] is None for row in made["slices"] for key in ("mean_kpa", "sd_kpa", "median_kpa", "iqr_kpa"))
    assert "no_waves" in [f["code"] for f in made["flags"]]
    assert made["flags"][0]["severity"] == "blocking"


def test_without_interval_intervals_and_chances_are_null():
    made = finding_json(finding(confidence=False, interval=False))
    assert made["stiffness_kpa"] is not None
    assert made["interval_95_kpa"] is None
    assert made["repeat_interval_95_kpa"] is None
    assert made["stage"]["probabilities"] is None


def test_change_appears_only_when_compared():
    assert "change" not in finding_json(finding())
    assert finding_json(finding(change=CHANGE))["change"]["change_percent"] == 15.9


def test_strict_json_whatever_the_settings_hold():
    odd = {"a": float("nan"), "b": np.float32(1.5), "c": {"d": (1, np.int64(2))}, "e": float("inf"), "f": {3, 1}}
    text = finding_bytes(finding(settings=odd)).decode("utf-8")
    settings = json.loads(text, parse_constant=pytest.fail)["provenance"]["settings"]
    assert settings == {"a": None, "b": 1.5, "c": {"d": [1, 2]}, "e": None, "f": [1, 3]}


def test_odd_texts_survive():
    made = replace(finding(), exam=replace(finding().exam, pseudonym="試験 " + HOSTILE))
    assert json.loads(finding_bytes(made))["exam"] == "試験 " + HOSTILE
    lone = replace(finding(), exam=replace(finding().exam, pseudonym="\udc80"))
    assert json.loads(finding_bytes(lone))["exam"] == "?"


def test_same_finding_same_bytes():
    assert finding_bytes(finding()) == finding_bytes(finding())


def test_the_quantity_and_the_inversion_are_the_exams() -> None:
    base = finding()
    how = {"method": "lfe", "start": "phase", "settings": {"method": "lfe"}}
    made = finding_json(replace(base, exam=replace(base.exam, quantity="rho c^2", inversion=how)))
    assert made["quantity"] == "density times the square of the wave speed, rho c^2"
    assert made["provenance"]["inversion"] == how
    assert "inversion" not in finding_json(base)["provenance"]
