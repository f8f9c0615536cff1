"""What cannot be measured is refused in one sentence that says what was wrong, found and right."""

import os
import stat
import struct
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import generate_uid

from dicom.damage import damaged
from dicom.makers import (
    Writer,
    ge_product,
    pa,
    philips_enhanced,
    real_world,
    siemens_classic,
    siemens_mosaic,
    siemens_xa,
)
from dicom.phantom import Phantom, phantom
from livermre.dicom import ReadOptions, inspect, read
from livermre.exam.errors import Contradiction, CorruptFile, LivermreError, NothingFound, SettingsError, UnclearUnit

Write = Callable[[Writer], Path]


def keep(writer: Writer, *series: int) -> Writer:
    writer.files = [ds for ds in writer.files if ds.SeriesNumber in series]
    return writer


def test_missing_path(tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match=r"nowhere does not exist"):
        read([tmp_path / "nowhere"])


def test_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match=r"holds no files"):
        read([tmp_path])


def test_no_dicom(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not an image")
    with pytest.raises(NothingFound, match=r"holds 1 file.*none of them DICOM"):
        read([tmp_path])
    assert inspect([tmp_path]) == []


def test_ct_only(ge_writer: Writer, write: Write) -> None:
    for ds in ge_writer.files:
        ds.Modality = "CT"
    with pytest.raises(NothingFound, match=r"holds only CT images, no MR elastography"):
        read([write(ge_writer)])


def test_mr_without_elastography(ge_writer: Writer, write: Write) -> None:
    for ds in ge_writer.files:
        ds[0x0019, 0x109C].value = "efgre3d"
        ds.ImageComments = ""
        ds.SeriesDescription = "Ax LAVA"
    folder = write(ge_writer)
    with pytest.raises(NothingFound, match=r"holds MR images but no MR elastography"):
        read([folder])
    assert {r.role for r in inspect([folder])} == {"other"}


def test_only_coloured_elastograms(ge_writer: Writer, write: Write) -> None:
    keep(ge_writer, 500)
    for ds in ge_writer.files:
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
        ds.PixelData = bytes(ds.Rows * ds.Columns * 3)
    with pytest.raises(NothingFound, match=r"only coloured pictures .*colours cannot be measured"):
        read([write(ge_writer)])


def test_stiffness_without_magnitude(ge_writer: Writer, write: Write) -> None:
    with pytest.raises(Contradiction, match=r"series 500 holds a stiffness map but there is no magnitude image"):
        read([write(keep(ge_writer, 500, 507))])


def test_confidence_alone(ge_writer: Writer, write: Write) -> None:
    with pytest.raises(
        NothingFound, match=r"holds confidence images of an MRE exam but neither stiffness map nor phase"
    ):
        read([write(keep(ge_writer, 507))])


def test_magnitude_and_phase_without_stiffness_is_an_exam(ge_writer: Writer, write: Write) -> None:
    (study,) = read([write(keep(ge_writer, 5))])
    assert study.exam.stiffness_kpa is None
    assert all(s.phase_rad is not None for s in study.exam.slices)


def _with_scale(writer: Writer, factor: float) -> Writer:
    for ds in writer.files:
        if ds.SeriesNumber == 22:
            stored = np.frombuffer(ds.PixelData, np.int16) * factor
            ds.PixelData = np.clip(stored, -32768, 32767).astype(np.int16).tobytes()
    return writer


def test_unit_unclear(write: Write) -> None:
    """A median of 100 is neither 100 kPa nor 0.1 kPa."""
    with pytest.raises(UnclearUnit, match=r"fits neither kPa nor Pa; state it with --stiffness-unit Pa or kPa"):
        read([write(_with_scale(siemens_classic(phantom()), 0.04))])


def test_unit_that_is_no_stiffness(write: Write) -> None:
    writer = siemens_classic(phantom())
    for ds in writer.files:
        if ds.SeriesNumber == 22:
            ds.RealWorldValueMappingSequence = real_world(0.001, "m/s")
    with pytest.raises(UnclearUnit, match=r"unit is 'm/s', which is no unit of stiffness"):
        read([write(writer)])


@pytest.mark.parametrize("unit", ["Pa", "kPa"])
def test_no_statement_can_be_wrong_by_a_thousand(write: Write, unit: str) -> None:
    """A header that states the other unit is caught by its numbers, whatever it says."""
    writer = siemens_classic(phantom())
    for ds in writer.files:
        if ds.SeriesNumber == 22:
            ds.RealWorldValueMappingSequence = real_world(1.0 if unit == "kPa" else 0.001, unit)
    with pytest.raises(UnclearUnit, match=r"which no tissue has"):
        read([write(writer)])


def test_stated_unit_helps_where_headers_are_silent(write: Write) -> None:
    folder = write(siemens_classic(phantom()))
    (study,) = read([folder], ReadOptions(stiffness_unit="Pa"))
    assert "unit_by_plausibility" not in {f.code for f in study.exam.flags}
    assert np.nanmedian(study.exam.stiffness_kpa) == pytest.approx(2.8, abs=0.3)
    with pytest.raises(UnclearUnit, match=r"by --stiffness-unit the median"):
        read([folder], ReadOptions(stiffness_unit="kPa"))


def test_stated_unit_must_not_contradict_the_file(write: Write) -> None:
    writer = siemens_classic(phantom())
    for ds in writer.files:
        if ds.SeriesNumber == 22:
            ds.RescaleType, ds.RescaleSlope, ds.RescaleIntercept = "kPa", "0.001", "0"
    with pytest.raises(Contradiction, match=r"the file says kpa .* but --stiffness-unit says Pa"):
        read([write(writer)], ReadOptions(stiffness_unit="Pa"))


def test_slices_in_different_units(ge_writer: Writer, write: Write) -> None:
    ds = next(d for d in ge_writer.files if d.SeriesNumber == 500)
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = "0.001", "0", "kPa"
    with pytest.raises(Contradiction, match=r"its images state different units"):
        read([write(ge_writer)])


def test_impossible_options() -> None:
    with pytest.raises(SettingsError, match=r"must be Pa or kPa"):
        ReadOptions(stiffness_unit="MPa")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"between 10 and 500 Hz"):
        ReadOptions(frequency_hz=6000)


def test_cut_short(ge_writer: Writer, write: Write) -> None:
    folder = write(keep(ge_writer, 500))
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(CorruptFile, match=r"is cut short: 500 bytes of its pixels are missing"):
        read([folder])
    assert {r.role for r in inspect([folder])} == {"damaged"}


def test_one_damaged_file_is_left_out_with_a_flag(ge_writer: Writer, write: Write) -> None:
    folder = write(ge_writer)
    victim = next(p for p in sorted(folder.iterdir()) if b"Confidence" in p.read_bytes())
    victim.write_bytes(victim.read_bytes()[:1000])
    (study,) = read([folder])
    assert "1 damaged file(s) of this exam were left out." in [f.message for f in study.exam.flags]
    assert sum(s.confidence is not None for s in study.exam.slices) == 2


def test_ten_gigapixels_are_refused_before_they_are_allocated(ge_writer: Writer, write: Write) -> None:
    """65535 x 65535 x 3 frames: 12.9 gigapixels, 26 GB."""
    keep(ge_writer, 500)
    for ds in ge_writer.files:
        ds.Rows = ds.Columns = 65535
        ds.NumberOfFrames = 3
    with pytest.raises(CorruptFile, match=r"3 image.* of 65535 x 65535 pixels, far more than any MRE image"):
        read([write(ge_writer)])


def test_pixels_that_do_not_fill_the_header(ge_writer: Writer, write: Write) -> None:
    keep(ge_writer, 500)
    for ds in ge_writer.files:
        ds.Rows = 2000
    with pytest.raises(CorruptFile, match=r"is cut short: 1 x 2000 x 40 pixels need"):
        read([write(ge_writer)])


def test_a_length_that_points_beyond_the_file(ge_writer: Writer, write: Write) -> None:
    folder = write(keep(ge_writer, 500))
    for path in folder.iterdir():
        data = path.read_bytes()
        place = data.index(b"OW\0\0") + 4  # length of the pixels
        path.write_bytes(data[:place] + struct.pack("<I", 0xFFFFFFF0) + data[place + 4 :])
    with pytest.raises(CorruptFile, match=r"is cut short"):
        read([folder])


def test_links_in_circles(ge_writer: Writer, write: Write) -> None:
    folder = write(ge_writer)
    (folder / "deeper").mkdir()
    (folder / "deeper" / "up").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    (folder / "gone").symlink_to(folder / "no such file")
    (study,) = read([folder])
    assert study.exam.shape[0] == 3
    assert "duplicate_images" not in {f.code for f in study.exam.flags}


def test_pipes_are_not_opened(ge_writer: Writer, write: Write) -> None:
    """Opening a named pipe would wait for ever."""
    folder = write(ge_writer)
    os.mkfifo(folder / "pipe")
    assert len(read([folder])) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(ge_writer: Writer, write: Write) -> None:
    folder = write(keep(ge_writer, 500))
    for path in folder.iterdir():
        path.chmod(0)
    with pytest.raises(CorruptFile, match=r"cannot be read .Permission denied"):
        read([folder])
    for path in folder.iterdir():
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)


def test_file_that_the_system_refuses_to_read(ge_writer: Writer, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(keep(ge_writer, 500))

    def refuse(self: Path, *args: object, **more: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(CorruptFile, match=r"f0000 cannot be read .Permission denied"):
        read([folder])


def test_mixed_halves_of_a_ge_series(ge_writer: Writer, write: Write) -> None:
    acquired = [ds for ds in ge_writer.files if ds.SeriesNumber == 5]
    acquired[0].InstanceNumber, acquired[-1].InstanceNumber = acquired[-1].InstanceNumber, acquired[0].InstanceNumber
    with pytest.raises(
        Contradiction, match=r"phase and magnitude images should be its first and second half, but are mixed"
    ):
        read([write(ge_writer)])


def test_two_different_maps_at_one_place(ge_writer: Writer, write: Write) -> None:
    first = next(ds for ds in ge_writer.files if ds.SeriesNumber == 500)
    other = deepcopy(first)
    other.SOPInstanceUID = generate_uid()
    other.PixelData = (np.frombuffer(first.PixelData, np.int16) // 2).tobytes()
    ge_writer.files.append(other)
    with pytest.raises(Contradiction, match=r"series 500 holds two different stiffness maps at"):
        read([write(ge_writer)])


def test_second_exam_that_cannot_be_read_becomes_a_flag(tmp_path: Path) -> None:
    ge_product(phantom()).write(tmp_path / "good")
    lonely = keep(siemens_classic(phantom()), 22)
    lonely.write(tmp_path / "lonely")
    (study,) = read([tmp_path])
    (flag,) = [f for f in study.exam.flags if f.code == "exam_left_out"]
    assert "series 22 holds a stiffness map but there is no magnitude" in flag.message


def test_hatching_and_what_lies_between_the_lines_have_no_value(ge_writer: Writer, write: Write) -> None:
    """Crossed lines of zeros or of a value far above all others."""
    y, x = np.mgrid[:48, :40]
    lines = ((x + y) % 8 == 0) | ((x - y) % 8 == 0)
    area = (y > 24) & lines
    for i, ds in enumerate(d for d in ge_writer.files if d.SeriesNumber == 500):
        stored = np.frombuffer(ds.PixelData, np.int16).reshape(48, 40).copy()
        stored[area & (stored > 0)] = (0, 25000, 32766)[i]
        ds.PixelData = stored.tobytes()
    (study,) = read([write(ge_writer)])
    truth = pa(phantom().stiffness_kpa)[::-1] > 0
    for s, inside in zip(study.exam.slices, truth, strict=True):
        valid = np.isfinite(s.stiffness_kpa)
        assert valid[inside & (y < 20)].mean() > 0.99
        assert valid[inside & (y > 28)].mean() < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("make", [siemens_xa, siemens_mosaic, philips_enhanced], ids=lambda m: m.__name__)
def test_damage_never_ends_in_a_crash_or_a_wrong_unit(tmp_path: Path, make: Callable[[Phantom], Writer]) -> None:
    """Sixty harms to multi-frame files, whose functional groups only pydicom reads."""
    folder = make(phantom(slices=2, offsets=2)).write(tmp_path / "exam")
    whole = {path: path.read_bytes() for path in folder.iterdir()}
    rng = np.random.default_rng(6)
    for _ in range(60):
        for path, data in whole.items():
            path.write_bytes(damaged(data, rng, header=len(data)) if rng.random() < 0.4 else data)
        try:
            studies = read([folder])
        except LivermreError as error:
            assert "\n" not in str(error) and len(str(error)) > 20
        else:
            maps = [s.exam.stiffness_kpa for s in studies if s.exam.stiffness_kpa is not None]
            assert all(0.2 < np.nanmedian(m) < 50 for m in maps if np.isfinite(m).any())
        inspect([folder])
