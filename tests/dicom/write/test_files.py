"""Files of simulated exams: names, bytes, what they say of themselves, and what other programs say of them."""

import re
import shutil
import subprocess
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from dicom.write.exams import exam, oblique
from livermre.dicom import read
from livermre.dicom.write import STYLES, write_exam
from livermre.dicom.write.encode import Template, encoded
from livermre.exam.errors import Contradiction, InputError, OutputError, SettingsError
from livermre.exam.types import Identity


def _bytes(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("style", STYLES)
def test_same_seed_same_bytes(style: str, tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        written = write_exam(exam(slices=1), tmp_path / name, style, seed=seed)
        assert {p.relative_to(tmp_path / name).as_posix() for p in written} == set(_bytes(tmp_path / name))
    assert _bytes(tmp_path / "a") == _bytes(tmp_path / "b")
    assert not set(_bytes(tmp_path / "a").values()) & set(_bytes(tmp_path / "c").values())


@pytest.mark.parametrize("style", STYLES)
def test_uids_are_valid_and_nobody_elses(style: str, tmp_path: Path) -> None:
    """One study and one frame of reference an exam; another seed or other pixels share no UID with it."""
    first = exam(slices=1)
    other = replace(first, slices=(replace(first.slices[0], magnitude=first.slices[0].magnitude + 1),))
    seen: list[set[str]] = []
    for n, (e, seed) in enumerate(((first, 1), (first, 2), (other, 1))):
        headers = [dcmread(p) for p in write_exam(e, tmp_path / str(n), style, seed=seed)]
        images = {h.SOPInstanceUID for h in headers}
        assert len(images) == len(headers)
        assert len({h.StudyInstanceUID for h in headers}) == len({h.FrameOfReferenceUID for h in headers}) == 1
        assert len({h.SeriesInstanceUID for h in headers}) == len({h.SeriesNumber for h in headers})
        uids = images | {h[k].value for h in headers for k in ("StudyInstanceUID", "SeriesInstanceUID")}
        assert all(re.fullmatch(r"2\.25\.(0|[1-9]\d*)", u) and int(u[5:]) < 2**128 for u in uids)
        assert all(h.file_meta.MediaStorageSOPInstanceUID == h.SOPInstanceUID for h in headers)
        seen.append(uids)
    assert not seen[0] & seen[1] and not seen[0] & seen[2]


@pytest.mark.parametrize("style", STYLES)
def test_every_file_says_that_it_is_simulated(style: str, tmp_path: Path) -> None:
    for path in write_exam(exam(slices=1), tmp_path, style, seed=1, identity=Identity("P17", "20240229")):
        h = dcmread(path)
        assert h.PatientID == "SIMULATED-P17" and str(h.PatientName) == "SIMULATED^P17"
        assert h.StudyDate == "20240229"
        assert "SIMULATED" in h.SeriesDescription and "SIMULATED" in h.ImageComments
        assert h[0x0008, 0x001C].value == "YES"  # Synthetic Data
        assert "simulator" in h.ManufacturerModelName


def test_identity_comes_back_and_without_one_is_made_from_the_seed(tmp_path: Path) -> None:
    write_exam(exam(slices=1), tmp_path / "a", "ge", seed=1)
    write_exam(exam(slices=1), tmp_path / "b", "ge", seed="another")
    a, b = (read([tmp_path / n])[0].identity for n in "ab")
    assert re.fullmatch(r"SIMULATED-[0-9a-f]{8}", a.patient_id) and a.patient_id != b.patient_id
    assert a.study_date == b.study_date == "20000101"


def test_an_odd_identity_does_no_harm(tmp_path: Path) -> None:
    """A backslash would make two values of one, a letter outside Latin-1 could not be written."""
    (first, *_) = write_exam(exam(slices=1), tmp_path, "siemens", seed=1, identity=Identity("a\\b^\u4e2d\n" + 99 * "x"))
    h = dcmread(first)
    assert h.PatientID == ("SIMULATED-a_b^__" + 99 * "x")[:64] and str(h.PatientName).startswith("SIMULATED^abxx")


def test_windows_are_in_rescaled_units(tmp_path: Path) -> None:
    for path in write_exam(exam(slices=1), tmp_path, "siemens", seed=1):
        h = dcmread(path)
        values = h.pixel_array * float(h.get("RescaleSlope", 1)) + float(h.get("RescaleIntercept", 0))
        assert h.WindowCenter == pytest.approx((values.min() + values.max()) / 2, abs=0.01)
        assert h.WindowWidth == pytest.approx(np.ptp(values), abs=0.01)


def test_a_template_writes_what_pydicom_writes() -> None:
    common, own, whole = Dataset(), Dataset(), Dataset()
    for ds in (common, whole):
        ds.SOPClassUID, ds.Modality, ds.PatientName, ds.InstanceNumber = "1.2.840.10008.5.1.4.1.1.4", "MR", "A^B", 1
        ds.ScanOptions, ds.ImageType = "", ["ORIGINAL", "PRIMARY"]
        ds.private_block(0x0019, "GEMS_ACQU_01", create=True).add_new(0x9C, "LO", "MR-Touch")
    for ds in (own, whole):
        ds.SOPInstanceUID, ds.InstanceNumber, ds.Rows, ds.PixelSpacing = "2.25.123", 7, 3, ["1.5", "2"]
    pixels = np.arange(6, dtype="<u2").tobytes()
    whole.add_new(0x7FE00010, "OW", pixels)
    assert Template(common).file(own, pixels) == encoded(whole)


def test_ge_has_nothing_but_order_to_tell_phase_from_magnitude(tmp_path: Path) -> None:
    write_exam(exam(slices=3), tmp_path, "ge", seed=1)
    headers = [dcmread(p) for p in sorted((tmp_path / "s0005_phase_and_magnitude").iterdir())]
    assert [h.InstanceNumber for h in headers] == list(range(1, 25))
    assert len({str(h.ImageType) for h in headers}) == 1 and not any("RescaleSlope" in h for h in headers)
    assert [h.pixel_array.min() < 0 for h in headers] == [True] * 12 + [False] * 12
    assert max(np.abs(h.pixel_array).max() for h in headers[:12]) == 3141
    assert headers[0].ImagePositionPatient[2] > headers[4].ImagePositionPatient[2]  # from the head
    maps = [dcmread(p).InstanceNumber for p in sorted((tmp_path / "s0500_stiffness").iterdir())]
    assert maps == [1, 9, 17]


def test_wrong_orders_are_refused(tmp_path: Path) -> None:
    one = exam(slices=2)
    with pytest.raises(SettingsError, match="no DICOM style 'canon'; there are ge, siemens"):
        write_exam(one, tmp_path, "canon", seed=1)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="eight digits"):
        write_exam(one, tmp_path, "ge", seed=1, identity=Identity("x", "today"))
    no_phase = replace(one, slices=tuple(replace(s, phase_rad=None) for s in one.slices))
    with pytest.raises(InputError, match="but the exam has no phase"):
        write_exam(no_phase, tmp_path, "ge", seed=1)
    mixed = replace(one, slices=(replace(one.slices[0], confidence=None), one.slices[1]))
    with pytest.raises(Contradiction, match="all slices need confidence"):
        write_exam(mixed, tmp_path, "siemens", seed=1)
    for style in ("ge", "siemens-enhanced", "philips-enhanced"):
        with pytest.raises(InputError, match="one motion direction, the exam has 3"):
            write_exam(exam(slices=1, directions=3), tmp_path, style, seed=1)  # type: ignore[arg-type]
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot make the folder"):
        write_exam(one, tmp_path / "file", "ge", seed=1)
    assert not [p for p in tmp_path.rglob("*") if p.name != "file"]


@pytest.mark.parametrize("style", STYLES)
def test_dcmdump_reads_every_file(style: str, tmp_path: Path) -> None:
    if shutil.which("dcmdump") is None:
        pytest.skip("dcmdump (dcmtk) is not installed")
    files = write_exam(exam(slices=2, vectors=oblique()), tmp_path, style, seed=1)
    done = subprocess.run(["dcmdump", "+E", "-M", *map(str, files)], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not re.search(r"^[EWF]:", done.stderr, re.MULTILINE), done.stderr
    assert done.stdout.count("PatientName") == len(files)


_KNOWN = "(0x0008,0x001c)"  # Synthetic Data is younger than the validator


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("sequence", ["GRE", "SE-EPI"])
def test_dciodvfy_finds_no_error(style: str, sequence: str, tmp_path: Path) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (dicom3tools) is not installed")
    files = write_exam(exam(slices=2, sequence=sequence), tmp_path, style, seed=1)
    one_a_series = {p.parent if p.parent != tmp_path else p: p for p in files}.values()
    for path in one_a_series:
        done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
        errors = [e for e in done.stderr.splitlines() if "Error" in e and _KNOWN not in e]
        assert not errors, (path.name, errors)


@pytest.mark.parametrize("style", STYLES)
def test_written_bytes_are_what_pydicom_would_write_again(style: str, tmp_path: Path) -> None:
    for path in write_exam(exam(slices=1), tmp_path, style, seed=1):
        again = BytesIO()
        dcmread(path).save_as(again, enforce_file_format=True)
        assert again.getvalue() == path.read_bytes()
