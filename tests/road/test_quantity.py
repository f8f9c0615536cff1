"""What a map is and what was noticed of it goes the whole road: invert, NIfTI set, analyze, page, comparison."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livermre import nifti, pipeline
from livermre.exam.flags import flag
from livermre.exam.types import Finding, Identity
from livermre.inversion import InversionSettings
from livermre.inverting import InvertRequest, invert_study
from livermre.report.finding_json import finding_json
from livermre.report.html import render_html
from livermre.report.pdf import render_pdf
from livermre.settings import Settings
from report.test_pages import pdf_words
from road.test_from_phase import disc, study, wave_exam


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, exam = tmp_path_factory.mktemp("masks"), wave_exam()
    return {
        "region_file": disc(folder / "disc.nii.gz", exam),
        "liver_file": disc(folder / "liver.nii.gz", exam, 90),
    }


def by_set(method: str, folder: Path, masks: dict[str, Path], **settings: object) -> Finding:
    """Inverted by one method, written as a set, read and analysed."""
    exam = replace(wave_exam(), flags=(flag("simulated"),))
    if not folder.exists():
        invert_study(study(exam), folder, InvertRequest(InversionSettings(method=method)))
    return pipeline.analyze_study(nifti.read(folder), Settings(**masks, **settings))


@pytest.fixture(scope="module")
def speed(tmp_path_factory: pytest.TempPathFactory, masks: dict[str, Path]) -> Finding:
    return by_set("lfe", tmp_path_factory.mktemp("sets") / "lfe", masks)


def test_a_wave_speed_gets_no_stage_by_way_of_a_set(speed: Finding) -> None:
    written = finding_json(speed)
    assert written["stiffness_kpa"] is not None and written["stage"] is None
    assert written["quantity"] == "density times the square of the wave speed, rho c^2"
    assert "quantity_not_g" in [f["code"] for f in written["flags"]]
    assert written["provenance"]["inversion"]["method"] == "lfe"


def test_a_wave_speed_gets_no_stage_straight_from_the_phase(masks: dict[str, Path]) -> None:
    settings = Settings(from_phase=True, inversion=InversionSettings(method="lfe"), **masks)
    written = finding_json(pipeline.analyze_study(study(wave_exam()), settings))
    assert written["stage"] is None and written["quantity"].endswith("rho c^2")
    assert written["provenance"]["inversion"]["settings"]["method"] == "lfe"


def test_the_page_names_the_quantity(speed: Finding) -> None:
    page = render_html(speed, Identity())
    assert page.count("square of the wave speed, rho c^2") == 2  # beside the number, and under provenance
    assert "magnitude of the complex shear modulus" not in page
    sheet = pdf_words(render_pdf(speed, None))
    assert "square of the wave speed, rho c^2" in sheet and "magnitude of the complex" not in sheet


def test_what_was_noticed_survives_the_set(speed: Finding) -> None:
    codes = [f.code for f in speed.flags]
    assert "simulated" in codes and "stiffness_by_livermre" in codes


def test_the_limit_holds_for_one_inversion_only(tmp_path: Path, masks: dict[str, Path], speed: Finding) -> None:
    earlier = tmp_path / "finding.json"
    earlier.write_text(json.dumps(finding_json(by_set("helmholtz", tmp_path / "helmholtz", masks))))
    same = by_set("helmholtz", tmp_path / "helmholtz", masks, earlier_file=earlier).change
    assert same is not None and same.exceeds_limit is False
    other = by_set("aide", tmp_path / "aide", masks, earlier_file=earlier).change
    assert other is not None and other.exceeds_limit is None
    assert "method helmholtz then, aide now" in other.remark
    earlier.write_text(json.dumps(finding_json(speed)))
    third = by_set("helmholtz", tmp_path / "helmholtz", masks, earlier_file=earlier).change
    assert third is not None and third.exceeds_limit is None and "quantity differs" in third.remark


def test_a_set_of_invert_with_an_empty_slice_can_be_inverted_again_from_its_wave(tmp_path: Path) -> None:
    exam = wave_exam()
    half = replace(exam, slices=(exam.slices[0], replace(exam.slices[1], phase_rad=None)))
    invert_study(study(half), tmp_path / "first", InvertRequest(InversionSettings()))
    back = nifti.read(tmp_path / "first")
    invert_study(back, tmp_path / "second", InvertRequest(InversionSettings(), start="wave"))
    again = nifti.read(tmp_path / "second").exam.stiffness_kpa
    assert np.isfinite(again[0]).any() and not np.isfinite(again[1]).any()
    assert "slices_without_phase" in [f.code for f in back.exam.flags]


def test_a_number_that_is_withheld_has_no_band_and_no_doubt_about_one(masks: dict[str, Path]) -> None:
    exam = wave_exam(vendor=True)
    told = pipeline.analyze_study(study(exam), Settings(**masks))
    assert told.reportable and told.stage is not None
    held = pipeline.analyze_study(study(replace(exam, flags=(flag("vibration_not_known"),))), Settings(**masks))
    assert held.stiffness.mean_kpa == told.stiffness.mean_kpa and not held.reportable
    assert held.stage is None and "band_uncertain" not in {f.code for f in held.flags}
