"""What lies on the disk stays: inputs, folders of other people, and findings that a fault elsewhere would replace."""

import json
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest

from apps.helpers import left_over
from livermre import given, network, pipeline
from livermre.exam.errors import CorruptFile, InputError, ModelError, OutputError, SettingsError
from livermre.results import check_places, failure, whole_folder


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("exam", "out"), [("ge", "."), ("ge/", "../here"), ("ge", "ge"), ("ge/deep/ge", "."), (".", "."), ("link", ".")]
)
@pytest.mark.parametrize("more", [(), ("--overwrite", "--jobs", "2")])
def test_results_never_touch_an_input(livermre, ge_exam, tmp_path, monkeypatch, exam, out, more):
    home = tmp_path / "here"
    shutil.copytree(ge_exam, home / "ge")
    shutil.copytree(ge_exam, home / "ge/deep/ge")
    (home / "link").symlink_to(home / "ge")
    monkeypatch.chdir(home)
    before = content(tmp_path)
    ran = livermre("analyze", exam, "--out", out, *more)
    assert ran.status == 2 and "choose an --out elsewhere" in ran.sentence
    assert content(tmp_path) == before


def test_results_of_one_exam_never_touch_another_input(tmp_path):
    check_places([tmp_path / "in/a", tmp_path / "in/b"], tmp_path / "out")
    with pytest.raises(SettingsError, match=r"results would go to .*b, which is, holds or lies in the input"):
        check_places([tmp_path / "b/b", tmp_path / "c"], tmp_path)
    ring = tmp_path / "ring"
    ring.symlink_to(ring)
    check_places([ring], tmp_path / "out")  # whatever it is, its reader says so


def _file(folder: Path) -> None:
    (folder / "IM0001").write_bytes(b"a patient's only copy")


def _folder(folder: Path) -> None:
    (folder / "finding.json").mkdir()


def _link(folder: Path) -> None:
    (folder / "report.pdf").symlink_to(folder.parent)


def _volume(folder: Path) -> None:
    (folder / "liver_mri.nii.gz").write_bytes(b"an image")


@pytest.mark.parametrize("make", [_file, _folder, _link, _volume])
def test_a_folder_with_foreign_things_is_never_replaced(tmp_path, make):
    target = tmp_path / "exam"
    target.mkdir()
    (target / "error.json").write_text("{}")
    make(target)
    before = sorted(p.name for p in target.iterdir()), content(target)
    with pytest.raises(OutputError, match="holds what livermre did not write"), whole_folder(target):
        pass
    assert failure(target, InputError("bad"), overwrite=True).failed
    assert (sorted(p.name for p in target.iterdir()), content(target)) == before and not left_over(tmp_path)


def test_what_comes_while_the_exam_is_measured_stays_too(tmp_path):
    target = tmp_path / "exam"
    target.mkdir()
    with pytest.raises(OutputError, match=r"did not write \(IM0001\)"), whole_folder(target) as folder:
        (folder / "finding.json").write_text("{}")
        _file(target)
    assert [p.name for p in target.iterdir()] == ["IM0001"] and not left_over(tmp_path)


def test_a_link_or_file_is_never_replaced(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").write_text("text")
    for name in ("link", "file"):
        with pytest.raises(OutputError, match="is no folder that livermre made"), whole_folder(tmp_path / name):
            pass
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_text() == "text"


@pytest.mark.parametrize("name", ["error.json", "roi_reasons_z012.nii.gz", "seg.dcm", "overlay.png", None])
def test_an_own_folder_is_replaced(tmp_path, name):
    target = tmp_path / "exam"
    target.mkdir()
    if name:
        (target / name).touch()
        (target / "finding.json").write_text("{}")  # masks alone are somebody's own
    with whole_folder(target) as folder:
        (folder / "finding.json").write_text("{}")
    assert [p.name for p in target.iterdir()] == ["finding.json"] and not left_over(tmp_path)


def test_a_foreign_folder_of_that_name(livermre, ge_exam, tmp_path):
    """As people meet it: the sentence, the status, and no error.json put among their files."""
    (tmp_path / "ge").mkdir()
    _file(tmp_path / "ge")
    ran = livermre("analyze", ge_exam, "--out", tmp_path, "--overwrite")
    assert ran.status == 3 and "holds what livermre did not write (IM0001)" in ran.sentence
    assert [p.name for p in (tmp_path / "ge").iterdir()] == ["IM0001"]


def _out_of_memory() -> None:
    try:
        raise MemoryError
    except MemoryError as error:
        raise CorruptFile("more memory than there is") from error


def _share_is_gone() -> None:
    try:
        raise OSError(5, "Input/output error")
    except OSError as error:
        raise CorruptFile("cannot be read (Input/output error)") from error


def _raise(error: Exception) -> None:
    raise error


FAULTS = {
    "memory": (lambda: _raise(MemoryError()), True),
    "memory, said by a reader": (_out_of_memory, True),
    "disk": (_share_is_gone, True),
    "settings": (lambda: _raise(SettingsError("wrong")), True),
    "livermre": (lambda: _raise(ZeroDivisionError()), True),
    "exam": (lambda: _raise(InputError("bad exam")), False),
}


@pytest.mark.parametrize(("fault", "stays"), FAULTS.values(), ids=FAULTS)
def test_only_a_bad_exam_overwrites_its_finding(livermre, tmp_path, monkeypatch, fault, stays):
    (tmp_path / "ge").mkdir()
    (tmp_path / "ge/finding.json").write_text('{"reportable": false}')
    monkeypatch.setattr(pipeline, "read_folder", lambda path, options: fault())
    assert livermre("analyze", "ge", "--out", tmp_path, "--overwrite").status == 3
    assert [p.name for p in (tmp_path / "ge").iterdir()] == ["finding.json" if stays else "error.json"]


def test_a_mask_or_earlier_finding_that_does_not_fit_takes_no_finding_away(livermre, ge_exam, other_exam, tmp_path):
    livermre("analyze", ge_exam, other_exam, "--out", tmp_path)
    before = content(tmp_path / "ge")
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "empty.json").write_text("{}")
    given = {
        "--liver": tmp_path / "other/roi.nii.gz", "--roi": tmp_path / "other/roi.nii.gz",
        "--compare": tmp_path / "list.json",
    }  # fmt: skip
    for option, path in [*given.items(), ("--compare", tmp_path / "empty.json")]:
        ran = livermre("analyze", ge_exam, "--out", tmp_path, "--overwrite", option, path)
        # what is wrong by itself is wrong usage; what does not fit is known only when the exam is read
        assert ran.status == (2 if option == "--compare" else 3) and f"{option}: " in ran.sentence
        assert content(tmp_path / "ge") == before


def test_an_empty_mask_is_a_mistake_and_no_missing_liver(livermre, ge_exam, tmp_path):
    livermre("analyze", ge_exam, "--out", tmp_path)
    mask = nibabel.load(tmp_path / "ge" / "liver.nii.gz")
    nibabel.save(nibabel.Nifti1Image(np.zeros(mask.shape, np.uint8), mask.affine), tmp_path / "empty.nii.gz")
    ran = livermre("analyze", ge_exam, "--out", tmp_path / "again", "--liver", tmp_path / "empty.nii.gz")
    assert ran.status == 2 and "--liver: the mask empty.nii.gz is empty" in ran.sentence


def test_missing_weights_end_the_run_before_it_begins(livermre, ge_exam, other_exam, tmp_path, monkeypatch):
    monkeypatch.setattr(given, "model_card", network.model_card)
    out = tmp_path / "out"
    ran = livermre("analyze", ge_exam, other_exam, "--out", out, "--model", tmp_path / "none.onnx")
    assert ran.status == 2 and ran.sentence.startswith("livermre: --model: no network weights at none.onnx")
    assert not out.exists()


def test_a_network_that_does_not_run_ends_the_run_at_once(livermre, ge_exam, other_exam, tmp_path, monkeypatch):
    livermre("analyze", ge_exam, "--out", tmp_path)
    before = content(tmp_path)
    monkeypatch.setattr(pipeline, "segmenter", lambda model, device: _raise(ModelError("net is no network")))
    ran = livermre("analyze", ge_exam, other_exam, "--out", tmp_path, "--overwrite")
    assert ran.status == 3 and ran.sentence == "livermre: net is no network"
    assert content(tmp_path) == before and json.loads(before["ge/finding.json"])
