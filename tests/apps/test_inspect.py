"""`livermre inspect` and `livermre segment`: what they print and refuse."""

import json

import nibabel
import numpy as np

from dicom.makers import ge_product
from dicom.phantom import phantom
from livermre import pipeline
from livermre.dicom import ReadOptions, read


def test_a_table_for_people(livermre, ge_exam):
    ran = livermre("inspect", ge_exam)
    assert ran.status == 0
    for word in ("series", "magnitude", "phase", "stiffness", "confidence", "98 %", "Pa", "MR-Touch"):
        assert word in ran.out
    assert "PHANTOM-1" not in ran.out


def test_json_for_programs(livermre, ge_exam):
    reports = json.loads(livermre("inspect", ge_exam, "--json").out)
    assert {r["role"] for r in reports} == {"magnitude", "phase", "stiffness", "confidence"}
    assert all({"series", "role", "confidence", "why"} <= r.keys() for r in reports)


def test_a_nifti_set(livermre, ge_exam, tmp_path):
    pipeline.write_exam(tmp_path / "set", read([ge_exam], ReadOptions())[0].exam)
    reports = json.loads(livermre("inspect", tmp_path / "set", "--json").out)
    assert {r["role"] for r in reports} == {"magnitude", "phase", "stiffness", "confidence"}
    assert livermre("analyze", tmp_path / "set", "--out", tmp_path / "out").status == 0


def test_nothing_there(livermre, tmp_path):
    ran = livermre("inspect", tmp_path / "nowhere")
    assert ran.status == 3 and "nowhere does not exist" in ran.sentence


def test_segment_dicom(livermre, ge_exam, tmp_path):
    ran = livermre("segment", ge_exam, "--out", tmp_path / "liver.nii.gz")
    assert ran.status == 0 and str(tmp_path / "liver.nii.gz") in ran.out
    mask = nibabel.load(tmp_path / "liver.nii.gz")
    assert mask.shape == (60, 60, 3) and mask.get_data_dtype() == np.uint8


def test_segment_prints_the_files_that_it_wrote(livermre, gap_exam, tmp_path):
    ran = livermre("segment", gap_exam, "--out", tmp_path / "liver.nii.gz")
    assert ran.status == 0, ran.err
    assert ran.out.split() == [str(p) for p in sorted(tmp_path.iterdir())] and len(ran.out.split()) == 3


def test_segment_refuses(livermre, ge_exam, tmp_path):
    ran = livermre("segment", ge_exam, "--out", tmp_path / "liver.png")
    assert ran.status == 2 and "must end in .nii.gz or .nii" in ran.sentence
    for number in (1, 2):
        ge_product(phantom(slices=2, seed=number)).write(tmp_path / "two" / str(number))
    ran = livermre("segment", tmp_path / "two" / "nothing", "--out", tmp_path / "liver.nii")
    assert ran.status == 3 and "does not exist" in ran.sentence


def test_a_folder_without_images_is_told(livermre, tmp_path):
    (tmp_path / "notes.txt").write_text("no images")
    ran = livermre("inspect", tmp_path)
    assert ran.status == 3 and "nothing to inspect" in ran.sentence


def test_segment_never_replaces_its_image(livermre, tmp_path):
    image = tmp_path / "image.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.ones((8, 8, 2), np.float32), np.eye(4)), image)
    before = image.read_bytes()
    ran = livermre("segment", image, "--out", image)
    assert ran.status == 2 and "would replace the image" in ran.sentence
    assert image.read_bytes() == before
