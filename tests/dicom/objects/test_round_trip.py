"""Written, read back through bytes by pydicom and numpy alone, and laid over the source images pixel by pixel.

The masks are what is stiffer than a number, so the pixels of the source image that a frame refers to must show the same
mask: every pixel inside is brighter there than every pixel outside. A frame on the wrong slice, mirrored, turned or
shifted by one pixel fails that.
"""

import itertools
import tempfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread

from dicom.objects import cases
from dicom.objects.reading import FrameRead, SourceRead, frames, sources
from dicom.write.exams import exam, oblique
from livermre.dicom import ReadOptions, read
from livermre.dicom.objects.write import object_bytes
from livermre.exam.study import Study

AXES = [tuple(sign * v for v in axis) for axis in np.eye(3).tolist() for sign in (1.0, -1.0)]
TURNS = [(r, c) for r, c in itertools.product(AXES, AXES) if np.dot(r, c) == 0]
"""All 24 ways in which rows and columns can run along the axes of the body; slices then stack along the third."""


_TEXT = 32766
"""Of letters that a GE scanner writes into the map."""


def fits(frame: FrameRead, source: SourceRead, within_mm: float = 1e-4) -> None:
    np.testing.assert_allclose(frame.world(), source.world(), atol=within_mm)
    assert frame.pixels.any() and not frame.pixels.all()
    outside = source.pixels[~frame.pixels]
    assert source.pixels[frame.pixels].min() > outside[outside != _TEXT].max()


def check(study: Study, folder: Path, within_mm: float = 1e-4) -> list[FrameRead]:
    """Segmentation against the source files; the frames."""
    finding = cases.finding_of(study.exam)
    found, source = frames(object_bytes(study, finding)["seg.dcm"]), sources(folder)
    slices = len(study.exam.slices)
    assert [f.segment for f in found] == [1] * slices + [2] * slices
    assert len({tuple(f.origin) for f in found}) == slices  # every place once in a segment, whatever repeats there
    for frame in found:
        fits(frame, source[frame.source], within_mm)
    for frame, mask in zip(found, [*finding.liver.liver, *finding.roi.keep], strict=True):
        np.testing.assert_array_equal(frame.pixels, mask)
    return found


def _spoken(turn: tuple[tuple[float, ...], tuple[float, ...]]) -> str:
    return "".join("-+"[sum(v) > 0] + "xyz"[int(np.argmax(np.abs(v)))] for v in turn)


@pytest.mark.parametrize("turn", [pytest.param(t, id=_spoken(t)) for t in TURNS])
def test_every_way_along_the_axes(turn, tmp_path):
    made = exam(slices=3, offsets=1, rows=9, columns=7, vectors=turn)
    check(cases.simulated(made, tmp_path), tmp_path)


angles = st.floats(-180, 180)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(angles, angles, angles, st.integers(1, 4), st.integers(3, 12), st.integers(3, 12), st.floats(3, 22))
def test_every_oblique_plane(a, b, c, slices, rows, columns, step_mm):
    """Any rotation, any number of slices, pixels that are not square (2.1 x 1.7 mm)."""
    turned = _rotation(*np.deg2rad([a, b, c]))
    vectors = tuple(map(float, turned[:, 0])), tuple(map(float, turned[:, 1]))
    with tempfile.TemporaryDirectory() as place:
        made = exam(slices=slices, offsets=1, rows=rows, columns=columns, vectors=vectors, step_mm=step_mm)
        check(cases.simulated(made, Path(place)), Path(place))


def _rotation(a: float, b: float, c: float) -> np.ndarray:
    def about(angle: float, axes: tuple[int, int]) -> np.ndarray:
        m = np.eye(3)
        m[np.ix_(axes, axes)] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        return m

    return about(a, (0, 1)) @ about(b, (1, 2)) @ about(c, (0, 2))


@pytest.mark.parametrize("style", ["ge", "siemens", "siemens-enhanced", "philips-enhanced"])
def test_every_simulated_style(style, tmp_path):
    """Phase offsets repeat every position, and enhanced files hold many frames: each place comes once all the same."""
    study = cases.simulated(exam(offsets=4, vectors=oblique()), tmp_path, style)
    found = check(study, tmp_path)
    multi_frame = style.endswith("enhanced")
    assert all((f.source[1] is not None) == multi_frame for f in found)


@pytest.mark.parametrize(
    "vendor", ["ge-product", "siemens-classic", "siemens-xa", "philips-classic", "canon", "mmdi-3d"]
)
def test_every_vendors_way(vendor, tmp_path):
    check(cases.vendor_study(vendor, tmp_path), tmp_path)


def test_a_mosaic_has_its_slices_in_their_places(tmp_path):
    """The source is one image of tiles: no frame lies as it does, so the phantom's own places decide."""
    study = cases.vendor_study("siemens-mosaic", tmp_path)
    finding = cases.finding_of(study.exam)
    found = frames(object_bytes(study, finding)["seg.dcm"])
    origins = np.array(sorted((s.plane.origin_mm for s in study.exam.slices), key=lambda o: o[2]))
    np.testing.assert_allclose([f.origin for f in found[: len(origins)]], origins, atol=1e-6)
    assert {f.source[1] for f in found} == {None} and len({f.source[0] for f in found}) == 1


@pytest.mark.parametrize("style", ["ge", "siemens", "siemens-enhanced", "philips-enhanced"])
def test_without_the_scanners_map_the_magnitude_is_the_source(style, tmp_path):
    """Never phase or wave, which lie at the same places, in GE's case in the same series."""
    study = cases.simulated(exam(offsets=4, vectors=oblique()), tmp_path, style)
    finding = cases.own_map(cases.finding_of(study.exam))
    made, source = object_bytes(study, finding), sources(tmp_path)
    for name in ("seg.dcm", "stiffness_pmap.dcm", "confidence_pmap.dcm"):
        found = frames(made[name])
        for frame, s in zip(found, itertools.cycle(study.exam.slices)):
            image = source[frame.source]
            np.testing.assert_allclose(frame.world(), image.world(), atol=1e-4)
            assert abs(frame.origin @ s.plane.normal - s.plane.position_mm) < 1e-4
            assert image.pixels.min() >= 0 and "P" not in image.kind.split("\\")[2:]
            assert "DERIVED" not in image.kind


@pytest.mark.parametrize("style", ["ge", "siemens", "philips-enhanced"])
def test_an_exam_that_never_had_a_map(style, tmp_path):
    """Its planes come from the phase images; its objects refer to the magnitude of the same slice."""
    whole = exam(slices=3, offsets=2, vectors=oblique())
    bare = replace(
        whole, slices=tuple(replace(s, stiffness_kpa=None, confidence=None, wave_rad=None) for s in whole.slices)
    )
    study = cases.simulated(bare, tmp_path, style)
    assert study.exam.stiffness_kpa is None
    mapped = tuple(
        replace(s, stiffness_kpa=w.stiffness_kpa) for s, w in zip(study.exam.slices, whole.slices, strict=True)
    )
    finding = cases.own_map(cases.finding_of(replace(study.exam, slices=mapped)))
    made, source = object_bytes(study, finding), sources(tmp_path)
    found = frames(made["seg.dcm"])
    for frame, mask in zip(found, [*finding.liver.liver, *finding.roi.keep], strict=True):
        image = source[frame.source]
        np.testing.assert_allclose(frame.world(), image.world(), atol=1e-4)
        np.testing.assert_array_equal(frame.pixels, mask)
        assert image.pixels.min() >= 0 and "P" not in image.kind.split("\\")[2:]


def test_a_finding_without_some_slices_keeps_its_places(tmp_path):
    """An inversion may leave slices out: the others still refer to their own images."""
    study = cases.simulated(exam(slices=4, vectors=oblique()), tmp_path)
    finding = cases.finding_of(replace(study.exam, slices=study.exam.slices[1::2]))
    found, source = frames(object_bytes(study, finding)["seg.dcm"]), sources(tmp_path)
    assert len(found) == 4
    for frame in found:
        fits(frame, source[frame.source])


def test_maps_come_back_as_the_floats_they_were(tmp_path):
    study = cases.simulated(exam(vectors=oblique()), tmp_path)
    finding = cases.own_map(cases.finding_of(study.exam))
    made = object_bytes(study, finding)
    wanted = {"stiffness_pmap.dcm": study.exam.stiffness_kpa, "confidence_pmap.dcm": study.exam.confidence}
    for name, values in wanted.items():
        found = np.stack([f.pixels for f in frames(made[name])])
        np.testing.assert_array_equal(found, values)  # NaN where there is no value
    assert np.isnan(study.exam.stiffness_kpa).any()


def test_the_scanners_map_is_not_written_again(tmp_path):
    study = cases.simulated(exam(), tmp_path)
    assert list(object_bytes(study, cases.finding_of(study.exam))) == ["seg.dcm", "sr.dcm"]


def test_one_orientation_is_shared_where_it_is_one(tmp_path):
    """Rounding in the seventh digit is no other orientation; slices tilted by a degree each keep their own."""
    study = cases.simulated(exam(slices=2, vectors=oblique()), tmp_path)
    finding = cases.finding_of(study.exam)
    for angle, shared in ((1e-7, True), (np.deg2rad(1.0), False)):
        first, second = study.exam.slices
        row, column = (np.array(v) for v in (second.plane.to_next_row, second.plane.to_next_column))
        turned = np.cos(angle) * row + np.sin(angle) * np.cross(column, row)
        plane = replace(second.plane, to_next_row=tuple(map(float, turned)))
        moved = replace(finding, exam=replace(study.exam, slices=(first, replace(second, plane=plane))))
        data = object_bytes(study, moved)["seg.dcm"]
        groups = dcmread(BytesIO(data)).SharedFunctionalGroupsSequence[0]
        assert ("PlaneOrientationSequence" in groups) == shared
        last = frames(data)[1]
        np.testing.assert_allclose(last.row_step / 2.1, turned if not shared else row, atol=1e-6)


def test_empty_slices_keep_their_frames(tmp_path):
    """Viewers that count frames put a region on the wrong slice where empty ones are left out."""
    study = cases.simulated(exam(slices=4), tmp_path)
    finding = cases.finding_of(study.exam)
    keep = finding.roi.keep.copy()
    keep[1:] = False
    found = frames(object_bytes(study, replace(finding, roi=replace(finding.roi, keep=keep)))["seg.dcm"])
    assert [f.pixels.any() for f in found] == [True] * 4 + [True, False, False, False]


@pytest.mark.data
def test_the_real_exam(ge_exam):
    """Slices 22 mm apart where the header says 11, letters in the map, four offsets and eight waves at every place."""
    (study,) = read([ge_exam / "dicom"], ReadOptions())
    found = check(study, ge_exam / "dicom", within_mm=0.005)  # the scanner rounds directions slice by slice
    steps = np.diff([f.origin[2] for f in found[:4]])
    np.testing.assert_allclose(steps, 22.0, atol=0.1)
