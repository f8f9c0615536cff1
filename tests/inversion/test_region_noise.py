"""An exam that vibrates, but not where it is measured: the region as a whole must rise above noise."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inversion.sources import SHAPE, bulk, exam_of, inner, places_mm, plane_wave, shaken, wavenumber
from inversion.test_vibration import of, uneven_noise
from livermre import above_noise, from_phase, nifti, pipeline
from livermre.exam.flags import Severity
from livermre.exam.study import Study
from livermre.exam.types import Exam, Identity
from livermre.inversion import InversionSettings, offsets_of
from livermre.inversion.vibration import against_noise, band_share, over_noise
from livermre.settings import Settings

CODE = "region_without_vibration"
RIGHT = places_mm()[1] > 0
"""The half of the body away from the sources of `shaken`."""


@pytest.mark.parametrize("count", [4, 5, 6, 8])
def test_noise_gives_one_on_the_mean_over_pixels_whatever_its_strength(count: int) -> None:
    share = band_share(uneven_noise(count, 10 + count))
    assert share.mean() == pytest.approx(2 / (count - 1), abs=0.02)
    assert over_noise(float(share.mean()), count) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (2, 1)], ids=["one", "components", "frequencies"])
def test_the_map_and_the_moments_of_the_same_pixels_agree(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    wave = offsets_of(0.1 * plane_wave(wavenumber(3.0), 0.4), 4)
    motion = wave + 0.3 * rng.normal(size=(*shape, *wave.shape))
    assert over_noise(float(band_share(motion).mean()), 4) == pytest.approx(against_noise(of(motion)), rel=1e-4)


def test_a_vibration_alone_fills_its_share_and_stillness_none() -> None:
    motion = offsets_of(plane_wave(wavenumber(3.0), 0.4), 6)[None, None]
    assert band_share(motion + 5.0) == pytest.approx(1, abs=1e-4)  # what stands still is no part of it
    assert not band_share(np.ones((1, 1, 4, 3, 3), np.float32)).any()


def test_three_offsets_leave_nothing_to_compare_with() -> None:
    assert band_share(np.ones((1, 1, 3, 3, 3), np.float32)) is None


def half_dead(seed: int, offsets: int = 4) -> Exam:
    """Strong waves on the left; on the right nothing but noise, which is everywhere."""
    rng = np.random.default_rng(seed)
    waves = np.where(RIGHT, 0, shaken(2.5, rng)) + bulk(rng, 1.0)
    return exam_of(waves, rng, noise_rad=0.1, offsets=offsets, slices=2)


@pytest.mark.parametrize("offsets", [4, 6])
def test_the_half_without_waves_is_refused_and_the_other_is_not(offsets: int) -> None:
    found = from_phase.inverted(half_dead(1, offsets), InversionSettings())
    dead = np.broadcast_to((places_mm()[1] > 45) & (np.abs(places_mm()[0]) < 50), found.exam.shape)
    (told,) = above_noise.region_doubts(found.waves, found.exam, dead)
    assert told.code == CODE and told.severity == Severity.BLOCKING
    alive = np.broadcast_to(inner(), found.exam.shape)
    assert above_noise.region_doubts(found.waves, found.exam, alive) == ()
    assert not {f.code for f in found.exam.flags} & {"phase_without_vibration", "phase_without_waves"}


def test_only_the_slice_without_waves_loses_its_confidence() -> None:
    """Waves on the left in one slice, on the right in the next: a region on the left is left with one of them."""
    rng = np.random.default_rng(4)
    waves = [shaken(2.5, rng), shaken(2.5, rng)[:, ::-1]]
    one, two = (exam_of(np.where(side, w, 0) + bulk(rng, 1.0), rng, noise_rad=0.1) for side, w in
                zip((~RIGHT, RIGHT), waves, strict=True))  # fmt: skip
    higher = replace(two.slices[0], plane=replace(two.slices[0].plane, origin_mm=(0, 0, 10.0)))
    exam = replace(one, slices=(one.slices[0], higher))
    found = from_phase.inverted(exam, InversionSettings())
    left = np.broadcast_to(inner() & ~RIGHT & (places_mm()[1] < -30), exam.shape)
    told = above_noise.without_noise(found.waves, found.exam, left, left)
    assert [f.code for f in told.flags[len(found.exam.flags) :]] == ["slice_without_vibration"]
    assert not told.slices[1].confidence.any() and told.slices[0] is found.exam.slices[0]
    assert (told.slices[1].stiffness_kpa == found.exam.slices[1].stiffness_kpa)[left[1]].all()  # for people to look at
    assert above_noise.region_doubts(found.waves, found.exam, left) == ()  # the exam is not given up for it
    alive = left & (np.arange(2) == 0)[:, None, None]
    assert above_noise.without_noise(found.waves, found.exam, alive, alive) is found.exam


def test_only_the_part_of_a_slice_without_waves_loses_its_confidence() -> None:
    """A region across both halves: what lies 40 mm and more within the dead one goes, and none of the live one."""
    found = from_phase.inverted(half_dead(6), InversionSettings())
    y, x = places_mm()
    across = np.broadcast_to((np.abs(y) < 50) & (x > -90) & (x < 85), found.exam.shape)
    told = above_noise.without_noise(found.waves, found.exam, across, across)
    gone = (told.confidence == 0) & (found.exam.confidence > 0)
    assert gone[across & (x > 40)].mean() > 0.95 and not gone[~across].any()
    assert not gone[across & (x < -40)].any()
    (said,) = told.flags[len(found.exam.flags) :]
    share = float((above_noise._noise_in(found.waves, found.exam, 0, across[0]) & across[0]).sum() / across[0].sum())
    assert said.code == "noise_left_out" and said.severity == Severity.INFO and 0.2 < share < 0.6


def test_a_window_asks_the_pixels_of_the_region_alone() -> None:
    """Means inside are means by brute force, whatever lies outside."""
    rng = np.random.default_rng(7)
    image, inside = rng.random((1, 40, 50)), rng.random((40, 50)) < 0.3
    image[0, ~inside] = np.nan
    found = above_noise._around(image, inside, (8.0, 10.0))[0]
    r, c = np.nonzero(inside)
    for i, j in ((0, 0), (20, 25), (39, 3)):
        near = (np.abs(r - i) <= 10) & (np.abs(c - j) <= 8)  # four standard deviations, where the filter ends
        weight = np.exp(-0.5 * (((r - i) * 8 / 20) ** 2 + ((c - j) * 10 / 20) ** 2))[near]
        assert found[i, j] == pytest.approx((weight * image[0, r[near], c[near]]).sum() / weight.sum(), rel=1e-4)


@pytest.mark.parametrize(
    ("band", "short", "refused"),
    [(0.70, 0.99, True), (0.80, 0.55, True), (0.80, 0.99, False), (0.80, None, False), (0.90, 0.55, False)],
    ids=["noise in time", "weak by both", "no shorter waves", "not known", "strong in time"],
)
def test_both_witnesses_must_speak_against_a_weak_wave(band: float, short: float | None, refused: bool) -> None:
    """Shares 0.7, 0.8, 0.9 of four offsets are 1.2, 2 and 4.5 times noise; the axis with more short waves counts."""
    found = from_phase.inverted(half_dead(5), InversionSettings())
    shape = found.exam.shape
    seen = None
    if short is not None:
        seen = np.stack([np.full(shape, 0.99), np.full(shape, short)], axis=1)
    waves = replace(found.waves, band_share=np.full(shape, band), short_share=seen)
    assert bool(above_noise.region_doubts(waves, found.exam, np.ones(shape, bool))) == refused


def test_no_verdict_without_offsets_to_tell() -> None:
    exam = half_dead(2, offsets=3)
    found = from_phase.inverted(exam, InversionSettings())
    everywhere = np.ones(exam.shape, bool)
    assert above_noise.region_doubts(found.waves, found.exam, everywhere) == ()
    assert above_noise.region_doubts(None, found.exam, everywhere) == ()


def test_the_road_gives_no_number_of_a_region_drawn_where_no_wave_comes(tmp_path: Path) -> None:
    exam = half_dead(3)
    place = np.broadcast_to((places_mm()[1] > 45) & (np.abs(places_mm()[0]) < 50), (2, *SHAPE))
    region = nifti.write_volume(tmp_path / "region.nii.gz", place.astype(np.uint8), exam)[0]
    settings = Settings(from_phase=True, liver_file=region, region_file=region)
    finding = pipeline.analyze_study(Study(exam, Identity(), (), "0" * 64), settings)
    assert CODE in {f.code for f in finding.flags} and not finding.reportable and finding.stage is None
