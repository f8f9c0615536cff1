"""What fits together and what does not: every reason to leave an exam out, both layouts, and what forbids a study."""

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from livermre import nifti
from livermre.exam.errors import CorruptFile, NothingFound, SettingsError
from livermre.study.cohort import find_cases
from livermre.study.inspection import inspect, write_check
from livermre.study.settings import StudySettings
from study.phantoms import STAGE_KPA, Phantom, exam_of, liver_of, many, write_cohort

SETTINGS = StudySettings()


@pytest.fixture
def copy(cohort: Path, tmp_path: Path) -> Path:
    return shutil.copytree(cohort, tmp_path / "copy")


def test_a_whole_cohort_fits(cohort: Path, tmp_path: Path) -> None:
    found = inspect(cohort, SETTINGS)
    assert [p.sentence for p in found.problems] == []
    assert [e.exam for e in found.taken] == [p.exam for p in many()]
    for entry, phantom in zip(found.taken, many(), strict=True):
        assert (entry.patient, entry.row["stage"], entry.row["field_t"]) == (
            phantom.patient,
            phantom.stage,
            phantom.field_t,
        )
        assert entry.liver_area_mm2 == pytest.approx(liver_of(phantom).sum() * 36.0)
        assert entry.reference is not None
        assert entry.reference.mask_kpa == pytest.approx(STAGE_KPA[phantom.stage], rel=0.01)
        assert entry.reference.table_kpa == STAGE_KPA[phantom.stage]
    content = json.loads(write_check(found, tmp_path / "out").read_text())
    assert (content["usable"], content["exams"], content["taken"], content["patients"]) == (True, 10, 10, 10)


def test_every_reason_is_told_and_counted(copy: Path) -> None:
    shutil.rmtree(copy / "exams" / "exam-00")  # a line of the table and a mask without images
    shutil.rmtree(copy / "masks" / "exam-01")
    (copy / "exams" / "exam-02" / "magnitude.nii.gz").write_bytes(b"\x1f\x8bno gzip")
    other = exam_of(Phantom("x", "x"), slices=1)
    nifti.write_volume(copy / "masks" / "exam-03" / "liver.nii.gz", liver_of(Phantom("x", "x"), 1), other)
    exam = exam_of(many()[4])
    nifti.write_volume(copy / "masks" / "exam-04" / "liver.nii.gz", np.zeros(exam.shape, bool), exam)
    found = inspect(copy, SETTINGS)
    reasons = {e.exam: e.reason for e in found.entries if not e.taken}
    assert reasons == {
        "exam-00": "no_images",
        "exam-01": "no_mask",
        "exam-02": "unreadable",
        "exam-03": "mask_misfit",
        "exam-04": "empty_mask",
    }
    told = [p for p in found.problems if p.severity == "exclusion"]
    assert all(p.exams[0] in p.sentence for p in told)
    assert len(told) == 5
    assert not found.errors


def test_images_and_labels_are_a_cohort_too(tmp_path: Path) -> None:
    for p in many(4):
        exam, liver = exam_of(p), liver_of(p)
        for kind, array in (("images", exam.magnitude), ("labels", liver + 3 * (~liver))):
            (tmp_path / kind).mkdir(exist_ok=True)
            nifti.write_volume(tmp_path / kind / f"{p.exam}.nii.gz", array.astype(np.float32), exam)
    found = inspect(tmp_path, SETTINGS)
    assert [e.liver_area_mm2 for e in found.taken] == [liver_of(p).sum() * 36.0 for p in many(4)]
    assert not any(e.has_map for e in found.taken)
    assert any("without stiffness map" in p.sentence for p in found.problems)
    assert any("of unknown patients" in p.sentence for p in found.problems)


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("image_{}.nii.gz", "label_{}.nii.gz"),
        ("images/{}.nii.gz", "labels/{}.nii.gz"),
        ("imagesTr/{}_0000.nii.gz", "labelsTr/{}.nii.gz"),
        ("imagesTr/{}.nii.gz", "labelsTr/{}.nii.gz"),
    ],
)
@pytest.mark.parametrize("told", ["option", "nnunet", "decathlon", "nobody"])
def test_where_label_maps_lie_and_which_label_is_the_liver(image: str, label: str, told: str, tmp_path: Path) -> None:
    """The liver is label 6 and its lesions 9; label 1 is the lower half of the picture."""
    for p in many(2):
        exam, liver = exam_of(p), liver_of(p)
        values = np.where(liver, 6.0, 0.0)
        values[:, 32:][~liver[:, 32:]] = 1
        values[0][liver[0]] = 9
        for place, array in ((image, exam.magnitude), (label, values)):
            path = tmp_path / place.format(p.exam)
            path.parent.mkdir(exist_ok=True)
            nifti.write_volume(path, array.astype(np.float32), exam)
    described = {"nnunet": {"background": 0, "low": 1, "liver": [6, 9]}, "decathlon": {"0": "none", "6": "Liver"}}
    if told in described:
        (tmp_path / "dataset.json").write_text(json.dumps({"labels": described[told]}))
    found = inspect(tmp_path, StudySettings(liver_labels=(6, 9) if told == "option" else None))
    assert [e.exam for e in found.taken] == [p.exam for p in many(2)]
    for entry, phantom in zip(found.taken, many(2), strict=True):
        liver = liver_of(phantom)
        low = int((~liver[:, 32:]).sum())
        pixels = {"decathlon": liver[1].sum(), "nobody": low}.get(told, liver.sum())
        assert entry.liver_area_mm2 == pytest.approx(pixels * 36.0)


def test_a_damaged_dataset_json_is_no_guess(tmp_path: Path) -> None:
    for name in ("image_1.nii.gz", "label_1.nii.gz"):
        (tmp_path / name).touch()
    (tmp_path / "dataset.json").write_text('{"labels": {"liver": "right"}}')
    with pytest.raises(CorruptFile, match="say --labels liver=VALUE"):
        find_cases(tmp_path)
    assert find_cases(tmp_path, (4,)).cases[0].labels == (4,)


def test_a_label_map_elsewhere_is_a_misfit(tmp_path: Path) -> None:
    p = many(1)[0]
    exam = exam_of(p)
    for kind, array in (("images", exam.magnitude), ("labels", liver_of(p))):
        (tmp_path / kind).mkdir()
        nifti.write_volume(tmp_path / kind / "a.nii.gz", array.astype(np.float32), exam)
    label = nib.load(tmp_path / "labels" / "a.nii.gz")
    affine = label.affine.copy()
    affine[0, 3] += 5
    nib.save(nib.Nifti1Image(np.asarray(label.dataobj), affine), tmp_path / "labels" / "a.nii.gz")
    found = inspect(tmp_path, SETTINGS)
    assert found.entries[0].reason == "mask_misfit"
    assert found.errors[0].sentence.startswith("no exam has both")


def test_the_driver_off_is_a_failure_and_no_exclusion(tmp_path: Path) -> None:
    phantoms = [*many(4), Phantom("off", "off", waves=False)]
    found = inspect(write_cohort(tmp_path / "c", phantoms), SETTINGS)
    entry = next(e for e in found.entries if e.exam == "off")
    assert entry.taken
    assert entry.reference is not None
    assert (entry.reference.mask_kpa, entry.reference.measurable) == (None, False)
    assert "no_waves" in entry.reference.blocking
    assert any("cannot be measured even inside" in p.sentence and p.exams == ("off",) for p in found.problems)


def test_what_is_no_cohort(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no folder"):
        find_cases(tmp_path / "nowhere")
    with pytest.raises(NothingFound, match="holds no cohort: it needs exams/NAME"):
        find_cases(tmp_path)
    few = inspect(write_cohort(tmp_path / "few", many(2)), SETTINGS)
    assert "at least 3 patients, found 2" in few.errors[0].sentence
