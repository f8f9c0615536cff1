"""The same protocol twice in one study: both exams come out, each with the images that were acquired for it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import generate_uid

from dicom.makers import VENDORS, Vendor, Writer, ge_product, siemens_classic
from dicom.phantom import Phantom, phantom
from livermre.dicom import Study, read

Write = Callable[[Writer], Path]

FIRST = phantom(offsets=2)
SECOND = replace(
    phantom(offsets=2, seed=8),
    magnitude=phantom(offsets=2, seed=8).magnitude + 20,
    stiffness_kpa=FIRST.stiffness_kpa + 1,
    confidence=FIRST.confidence * 0.995,
)


def repeated(
    make: Callable[[Phantom], Writer], number: Callable[[int], int], again: Phantom = SECOND, first: Phantom = FIRST
) -> Writer:
    """Two acquisitions of one study; number: series number of the first -> of the second."""
    writer, second = make(first), make(again)
    for ds in second.files:
        ds.SOPInstanceUID, ds.SeriesInstanceUID = generate_uid(), writer.uid("again", ds.SeriesNumber)
        ds.SeriesNumber = number(int(ds.SeriesNumber))
    writer.files += second.files
    return writer


def renumbered(writer: Writer, numbers: dict[int, int]) -> Writer:
    for ds in writer.files:
        ds.SeriesNumber = numbers[int(ds.SeriesNumber)]
    return writer


def assert_is(study: Study, p: Phantom) -> None:
    """Every image of an exam is that of one phantom."""
    exam = study.exam
    np.testing.assert_allclose(exam.magnitude, p.magnitude.mean(1)[::-1], atol=0.07)
    np.testing.assert_allclose(exam.stiffness_kpa, p.stiffness_kpa[::-1], atol=0.0011)
    np.testing.assert_allclose(exam.confidence, p.confidence[::-1], atol=0.0006)
    for s, expected in zip(exam.slices, p.phase_rad[::-1], strict=True):
        if s.phase_rad is not None:
            assert np.abs(np.angle(np.exp(1j * (s.phase_rad[0] - expected)))).max() <= np.pi / 2047
    assert not {f.code for f in exam.flags} & {"other_maps_ignored", "exam_left_out", "missing_slices"}


def _again(maker: str) -> Callable[[int], int]:
    """How the numbers of a maker go on: GE by base, others with the next free block."""
    if maker.startswith("ge") or maker == "mmdi-2d":
        return lambda n: n + 1 if n < 100 else n + 100
    if maker.startswith("philips") or maker == "mmdi-3d":
        return lambda n: n + 100
    return lambda n: n + 4


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda v: v.name)
def test_every_makers_repeat_is_a_second_exam_with_its_own_images(vendor: Vendor, write: Write) -> None:
    first, second = read([write(repeated(vendor.make, _again(vendor.name)))])
    assert_is(first, FIRST)
    assert_is(second, SECOND)


LAYOUTS = {
    "confidence before stiffness": ({20: 20, 21: 21, 23: 22, 22: 23}, {20: 24, 21: 25, 23: 26, 22: 27}),
    "stiffness before confidence": ({20: 20, 21: 21, 22: 22, 23: 23}, {20: 24, 21: 25, 22: 26, 23: 27}),
    "all acquired before any map": ({20: 20, 21: 21, 22: 24, 23: 25}, {20: 22, 21: 23, 22: 26, 23: 27}),
    "over a hundred": ({20: 94, 21: 95, 23: 96, 22: 97}, {20: 98, 21: 99, 23: 100, 22: 101}),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_maps_follow_their_source_in_any_layout(layout: tuple[dict[int, int], dict[int, int]], write: Write) -> None:
    own, again = layout
    writer = repeated(siemens_classic, lambda n: n + 1000)
    first, second = read([write(renumbered(writer, {**own, **{n + 1000: m for n, m in again.items()}}))])
    assert_is(first, FIRST)
    assert_is(second, SECOND)


def test_acquisition_time_decides_where_numbers_mislead(write: Write) -> None:
    """Maps of the first breath-hold sent last: their time is that of their source."""
    writer = repeated(siemens_classic, lambda n: n + 1000)
    for ds in writer.files:
        ds.AcquisitionTime = "095230.5" if ds.SeriesNumber < 1000 else "095301"
    numbers = {20: 20, 21: 21, 1020: 22, 1021: 23, 1022: 24, 1023: 25, 22: 26, 23: 27}
    second, first = read([write(renumbered(writer, numbers))])
    assert_is(first, FIRST)
    assert_is(second, SECOND)


def _shifted(p: Phantom, mm: float) -> Phantom:
    return replace(p, origins_mm=p.origins_mm + mm * np.cross(p.cosines[:3], p.cosines[3:]))


@pytest.mark.parametrize("shift_mm", [3.0, 5.5, 28.0])
def test_a_shifted_repeat_is_not_interleaved(shift_mm: float, write: Write) -> None:
    """Slices of the repeat between those of the first, or beyond them but too near, are another exam."""
    writer = repeated(ge_product, _again("ge"), _shifted(SECOND, shift_mm))
    first, second = read([write(writer)])
    assert_is(first, FIRST)
    assert_is(second, SECOND)


def test_a_stack_in_two_series_stays_one_exam(write: Write) -> None:
    """Odd and even slices in two breath-holds fill each other's gaps."""
    p = phantom(slices=4, offsets=2)
    parts = [
        replace(p, **{n: getattr(p, n)[i::2] for n in ("magnitude", "stiffness_kpa", "confidence", "phase_rad")},
                origins_mm=p.origins_mm[i::2])
        for i in range(2)
    ]  # fmt: skip
    (study,) = read([write(repeated(ge_product, _again("ge"), parts[1], parts[0]))])
    assert_is(study, p)
