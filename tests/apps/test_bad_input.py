"""Bad input: one clear sentence each, no traceback, no finding, error.json with the same words."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from apps.helpers import left_over
from dicom.makers import Writer, ge_product, siemens_classic
from dicom.phantom import phantom
from livermre.results import FINDING

GE, SMALL = "GE MEDICAL SYSTEMS", phantom(slices=2)


def _empty(folder: Path) -> None:
    folder.mkdir()


def _no_dicom(folder: Path) -> None:
    folder.mkdir()
    (folder / "notes.txt").write_text("nothing to see")


def _no_mre(folder: Path) -> None:
    w = Writer(SMALL, "SIEMENS")
    for s in range(2):
        w.image(
            3, s + 1, s, SMALL.magnitude[s, 0].astype(np.uint16), "ORIGINAL PRIMARY M ND", SeriesDescription="t1_vibe"
        )
    w.write(folder)


def _ct(folder: Path) -> None:
    w = Writer(SMALL, GE)
    w.image(1, 1, 0, SMALL.magnitude[0, 0].astype(np.int16), "ORIGINAL PRIMARY AXIAL").Modality = "CT"
    w.write(folder)


def _only_rgb(folder: Path) -> None:
    w = Writer(SMALL, GE)
    ds = w.image(1, 1, 0, np.zeros(SMALL.shape, np.uint8), "DERIVED SECONDARY", SeriesDescription="MRE Stiffness RGB")
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
    ds.PixelData = np.zeros((*SMALL.shape, 3), np.uint8).tobytes()
    w.write(folder)


def _without_magnitude(folder: Path) -> None:
    w = ge_product(SMALL)
    w.files = [ds for ds in w.files if ds.SeriesNumber != 5]
    w.write(folder)


def _without_stiffness(folder: Path) -> None:
    w = ge_product(SMALL)
    w.files = [ds for ds in w.files if ds.SeriesNumber == 5]
    w.write(folder)


def _unit_unclear(folder: Path) -> None:
    w = siemens_classic(SMALL)
    for ds in w.files:
        if ds.SeriesNumber == 22:  # neither as Pa (0.05 kPa) nor as kPa (50 kPa) a liver
            ds.PixelData = np.full(SMALL.shape, 50, np.int16).tobytes()
    w.write(folder)


def _truncated(folder: Path) -> None:
    ge_product(SMALL).write(folder)
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:-1000])


def _ten_gigapixels(folder: Path) -> None:
    """65535 x 65535 x 3 frames promised, a few bytes there."""
    w = ge_product(SMALL)
    for ds in w.files:
        ds.Rows, ds.Columns, ds.NumberOfFrames = 65535, 65535, 3
    w.write(folder)


def _links_in_a_ring(folder: Path) -> None:
    folder.mkdir()
    (folder / "again").symlink_to(folder)
    (folder / "a").symlink_to(folder / "b")
    (folder / "b").symlink_to(folder / "a")


CASES = [
    (_empty, "holds no files"),
    (_no_dicom, "holds 1 file(s), none of them DICOM"),
    (_no_mre, "holds MR images but no MR elastography"),
    (_ct, "holds only CT images, no MR elastography"),
    (_only_rgb, "only coloured pictures"),
    (_without_magnitude, "magnitude"),
    (_without_stiffness, "the exam has no stiffness map"),
    (_unit_unclear, "--stiffness-unit"),
    (_truncated, "cut short"),
    (_ten_gigapixels, "65535"),
    (_links_in_a_ring, "holds no files"),
]


@pytest.mark.parametrize(("make", "words"), CASES, ids=[make.__name__.strip("_") for make, _ in CASES])
def test_words(livermre, tmp_path, make: Callable[[Path], None], words: str) -> None:
    make(tmp_path / "exam")
    ran = livermre("analyze", tmp_path / "exam", "--out", tmp_path / "out")
    assert ran.status == 3
    assert words in ran.sentence and len(ran.sentence) < 400
    error = json.loads((tmp_path / "out/exam/error.json").read_text(encoding="utf-8"))
    assert error["message"] in ran.sentence
    assert not list(tmp_path.rglob(FINDING)) and not left_over(tmp_path / "out")


def test_there_is_no_such_exam(livermre, tmp_path):
    ran = livermre("analyze", tmp_path / "nowhere", "--out", tmp_path / "out")
    assert ran.status == 3 and "nowhere does not exist" in ran.sentence


def test_files_that_may_not_be_read(livermre, ge_exam, tmp_path, monkeypatch):
    """Root may read everything, so the refusal is played."""
    honest = Path.open

    def refuse(self: Path, *args: object, **kwargs: object):
        if ge_exam in self.parents:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return honest(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    ran = livermre("analyze", ge_exam, "--out", tmp_path / "out")
    assert ran.status == 3 and "cannot be read (Permission denied)" in ran.sentence


@pytest.mark.parametrize("name", ["finding.json", "report.html", "report.pdf", "overlay.png"])
def test_the_disk_is_full(livermre, ge_exam, tmp_path, monkeypatch, name):
    honest = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        if name in self.name:
            honest(self, data[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return honest(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    ran = livermre("analyze", ge_exam, "--out", tmp_path / "out")
    assert ran.status == 3 and "No space left on device" in ran.sentence
    assert not list((tmp_path / "out").rglob("report.*")) and not list((tmp_path / "out").rglob(FINDING))
    assert not left_over(tmp_path / "out")


def test_a_full_disk_takes_no_earlier_finding_away(livermre, ge_exam, tmp_path, monkeypatch):
    livermre("analyze", ge_exam, "--out", tmp_path)
    before = {p.name: p.read_bytes() for p in (tmp_path / "ge").iterdir()}

    def full(self: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    assert livermre("analyze", ge_exam, "--out", tmp_path, "--overwrite").status == 3
    assert {p.name: p.read_bytes() for p in (tmp_path / "ge").iterdir()} == before


def test_no_place_for_results(livermre, ge_exam, tmp_path):
    (tmp_path / "file").touch()
    ran = livermre("analyze", ge_exam, "--out", tmp_path / "file" / "below")
    assert ran.status == 2 and "cannot make the folder" in ran.sentence
