"""exam.json: what an exam carries beside its images comes back; what a stranger wrote there does no harm."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livermre import nifti
from livermre.exam.errors import CorruptFile
from livermre.exam.flags import Severity, flag
from livermre.exam.plane import Plane
from livermre.exam.types import Acquisition, Exam, Slice

HOW = {"method": "lfe", "start": "phase", "settings": {"method": "lfe", "frequencies_hz": [60.0], "smooth": None}}


def small_exam(count: int = 3) -> Exam:
    rng = np.random.default_rng(1)
    slices = [
        Slice(
            plane=Plane((6, 5), (2.0, 2.0), (0, 0, 10.0 * i), (0, 1, 0), (1, 0, 0), 8.0),
            magnitude=rng.uniform(100, 900, (6, 5)),
            stiffness_kpa=rng.uniform(1.5, 4.0, (6, 5)),
            phase_rad=rng.uniform(-3, 3, (1, 1, 4, 6, 5)),
            wave_rad=rng.uniform(-3, 3, (1, 3, 4, 6, 5)),
        )
        for i in range(count)
    ]
    return Exam(tuple(slices), Acquisition("GE", 1.5, 60.0, "MR-Touch", "2D"), "a1b2c3")


def edited(folder: Path, **changes: object) -> Path:
    sidecar = json.loads((folder / "exam.json").read_text())
    (folder / "exam.json").write_text(json.dumps(sidecar | changes))
    return folder


def test_quantity_and_inversion_come_back(tmp_path: Path) -> None:
    exam = replace(small_exam(), stiffness_source="livermre", quantity="rho c^2", inversion=HOW)
    nifti.write_exam(tmp_path, exam)
    found = nifti.read(tmp_path).exam
    assert found.quantity == "rho c^2" and found.inversion == HOW


def test_a_scanners_map_has_no_inversion_of_ours(tmp_path: Path) -> None:
    nifti.write_exam(tmp_path, small_exam())
    found = nifti.read(edited(tmp_path, inversion=HOW)).exam
    assert found.quantity == "|G*|" and found.inversion is None


def test_the_record_of_the_inversion_decides_and_counts_as_input(tmp_path: Path) -> None:
    nifti.write_exam(tmp_path, replace(small_exam(), stiffness_source="livermre"))
    before = nifti.read(tmp_path).inputs_sha256
    (tmp_path / "inversion.json").write_text(json.dumps(HOW | {"quantity": "rho c^2", "livermre": "0"}))
    found = nifti.read(tmp_path)
    assert found.exam.quantity == "rho c^2" and found.exam.inversion == HOW
    assert found.inputs_sha256 != before


@pytest.mark.parametrize("quantity", [5, "", "a\nb", "x" * 100])
def test_a_quantity_is_a_short_text(tmp_path: Path, quantity: object) -> None:
    nifti.write_exam(tmp_path, small_exam())
    with pytest.raises(CorruptFile, match=r"quantity must be a short text such as \|G\*\|"):
        nifti.read(edited(tmp_path, quantity=quantity))


@pytest.mark.parametrize("settings", [None, [], {"a": {"deep": 1}}, {"a": "x" * 100}, {"a": [[1]]}])
def test_an_inversion_that_is_not_plain_is_not_known(tmp_path: Path, settings: object) -> None:
    nifti.write_exam(tmp_path, replace(small_exam(), stiffness_source="livermre"))
    assert nifti.read(edited(tmp_path, inversion=HOW | {"settings": settings})).exam.inversion is None


def test_flags_come_back(tmp_path: Path) -> None:
    flags = (
        flag("simulated"),
        flag("stiffness_by_livermre", start="phase"),
        flag("phase_offset_damaged", offset=2, z_mm=10.0),
        flag("phase_not_harmonic", percent=40.0, z_mm=20.0),
        flag("slices_without_phase", count=1, start="phase"),
    )
    nifti.write_exam(tmp_path, replace(small_exam(), flags=flags))
    assert nifti.read(tmp_path).exam.flags == flags


@pytest.mark.parametrize(
    "entry",
    [
        None, 7, "simulated", [], {}, {"code": "simulated"}, {"code": "simulated", "message": " "},
        {"code": "simulated", "message": 3}, {"code": ["simulated"], "message": "a"},
        {"code": "of_others", "message": "a"},
    ],
)  # fmt: skip
def test_a_foreign_or_damaged_flag_is_ignored(tmp_path: Path, entry: object) -> None:
    nifti.write_exam(tmp_path, small_exam())
    good = flag("simulated")
    kept = {"code": good.code, "severity": "info", "message": good.message}
    assert nifti.read(edited(tmp_path, flags=[entry, kept])).exam.flags == (good,)  # with the registry's severity
    assert nifti.read(edited(tmp_path, flags=entry)).exam.flags == ()


def test_a_flags_text_is_cut_and_has_no_control_signs(tmp_path: Path) -> None:
    nifti.write_exam(tmp_path, small_exam())
    long = [{"code": "phase_without_waves", "severity": "info", "message": "\x1b[2J\ud800\n" + "x" * 1000}] * 300
    found = nifti.read(edited(tmp_path, flags=long)).exam.flags
    assert len(found) <= 200 and all(len(f.message) <= 400 and f.message.isprintable() for f in found)
    assert found[0].severity == Severity.BLOCKING


def test_an_empty_slice_of_phase_or_wave_is_a_slice_without(tmp_path: Path) -> None:
    exam = small_exam()
    bare = replace(exam.slices[1], phase_rad=None, wave_rad=None)
    nifti.write_exam(tmp_path, replace(exam, slices=(exam.slices[0], bare, exam.slices[2])))
    found = nifti.read(tmp_path).exam
    for name in ("phase_rad", "wave_rad"):
        assert getattr(found.slices[1], name) is None
        for i in (0, 2):
            np.testing.assert_array_equal(getattr(found.slices[i], name), getattr(exam.slices[i], name))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "exam.json: frequency_hz must be above zero, or null where it is not known; found 0"),
        (-60, "exam.json: frequency_hz must not be negative, found -60"),
    ],
)
def test_a_frequency_is_above_zero(tmp_path: Path, value: float, words: str) -> None:
    nifti.write_exam(tmp_path, small_exam())
    with pytest.raises(CorruptFile, match=words):
        nifti.read(edited(tmp_path, frequency_hz=value))
