"""The exam's own liver: what it accepts, what it throws out, and when it keeps silent. Simulated images throughout."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livermre.exam.plane import Plane
from livermre.exam.types import Acquisition, Exam, ModelCard, Slice
from livermre.segment import tissue as tissue_
from livermre.segment.engine import ModelFile
from livermre.segment.grid import NetworkGrid, network_grid
from livermre.segment.refine import refine
from livermre.segment.segmenter import Segmenter
from livermre.segment.tissue import learn, log_brightness

CELLS = 96
Y, X = np.mgrid[:CELLS, :CELLS]
LIVER = (Y - 50) ** 2 + (X - 32) ** 2 < 20**2
BOWEL = (Y - 50) ** 2 + (X - 60) ** 2 < 7**2
BODY = ((Y - 48) / 36) ** 2 + ((X - 48) / 44) ** 2 < 1
PLANE = Plane((CELLS, CELLS), (4.0, 4.0), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0), 8.0)
HEIGHTS = (0.0, 10.0, 20.0)


def grid() -> NetworkGrid:
    return network_grid(PLANE, 4.0)


def stack(bowel: float = 0.6, shading: float = 0.0, noise: float = 0.03, vessels: bool = False) -> np.ndarray:
    """(3, 96, 96): liver 1, the rest of the body 0.6, bowel as given; `shading` is the log change over 100 mm."""
    rng = np.random.default_rng(0)
    image = np.where(BODY, 0.6, 0.0)
    image[LIVER], image[BOWEL] = 1.0, bowel
    if vessels:
        image[(Y % 8 == 0) & (X % 8 < 2) & LIVER] = 2.0
    image = image * np.exp(shading * (Y - 50) / 25)
    return 100 * np.abs(image + noise * rng.standard_normal((3, CELLS, CELLS)))


def claimed(liver: np.ndarray, also: np.ndarray | None = None) -> np.ndarray:
    """What a network says: 0.98 in `liver`, 0.9 in `also`, 0.02 elsewhere."""
    said = np.where(liver, 0.98, 0.02)
    said = said if also is None else np.where(also, 0.9, said)
    return np.repeat(said[None].astype(np.float32), 3, axis=0)


def refined(image: np.ndarray, network: np.ndarray, heights: tuple[float, ...] = HEIGHTS) -> np.ndarray:
    return refine(network, image.astype(np.float32), image, grid(), (4.0, 4.0), heights) > 0.5


def test_what_does_not_look_like_this_liver_is_thrown_out() -> None:
    found = refined(stack(bowel=0.6), claimed(LIVER, BOWEL))
    assert found[:, BOWEL].mean() < 0.05
    assert found[:, LIVER].mean() > 0.97


def test_what_looks_like_it_stays_the_networks_affair() -> None:
    found = refined(stack(bowel=1.0), claimed(LIVER, BOWEL))
    assert found[:, BOWEL].mean() > 0.9


@pytest.mark.parametrize("shading", [-0.5, 0.5])
def test_a_coils_shading_is_no_other_tissue(shading: float) -> None:
    """From one end of this liver to the other its brightness changes by a factor of 2.2: more than bowel differs."""
    found = refined(stack(bowel=0.6, shading=shading), claimed(LIVER, BOWEL))
    assert found[:, LIVER].mean() > 0.95
    assert found[:, BOWEL].mean() < 0.1


def test_the_level_found_is_the_livers() -> None:
    """The shading is learnt although a tenth of what the network claims is other tissue."""
    image = stack(bowel=0.6, shading=0.4, vessels=True)
    tissue = learn(claimed(LIVER, BOWEL), image, np.asarray(HEIGHTS))
    assert tissue is not None
    true = log_brightness(100 * np.exp(0.4 * (Y - 50) / 25), tissue.unit)
    assert np.abs(tissue.level - true)[:, LIVER].max() < 0.05


def test_missed_liver_beside_found_liver_is_won_back() -> None:
    missed = LIVER & (Y > 58)
    network = claimed(LIVER)
    network[:, missed] = 0.3
    assert (network[:, missed] < 0.5).all()
    assert refined(stack(), network)[:, missed].mean() > 0.9


def test_one_dark_pixel_cannot_outvote_a_sure_network() -> None:
    image = stack()
    image[:, 50, 32] = 5.0
    assert refined(image, claimed(LIVER))[:, LIVER].mean() > 0.97


def test_units_of_brightness_do_not_matter() -> None:
    image, network = stack(), claimed(LIVER, BOWEL)
    assert np.array_equal(refined(image, network), refined(image * 4096, network))


def test_without_enough_sure_liver_the_networks_word_stands() -> None:
    small = (Y - 50) ** 2 + (X - 32) ** 2 < 4**2
    network = claimed(small)
    image = stack().astype(np.float32)
    assert learn(network, image, np.asarray(HEIGHTS)) is None
    assert np.array_equal(refine(network, image, image, grid(), (4.0, 4.0), HEIGHTS), grid().up(network))


def test_near_slices_lend_one_another_their_word_and_far_ones_do_not() -> None:
    """The middle slice's network says nothing; its neighbours are sure. Bowel as bright as liver shows who decides."""
    network = claimed(LIVER)
    network[1] = 0.45
    image = stack()
    near, far = refined(image, network, (0.0, 10.0, 20.0)), refined(image, network, (0.0, 30.0, 60.0))
    odds = [refine(network, image.astype("f4"), image, grid(), (4.0, 4.0), h) for h in ((0, 10, 20), (0, 30, 60))]
    assert near[:, LIVER].mean() >= far[:, LIVER].mean()
    assert odds[0][1][LIVER].mean() > odds[1][1][LIVER].mean() + 0.02


def test_one_slice_alone_is_learnt_too() -> None:
    image, network = stack(bowel=0.6, shading=0.3)[:1], claimed(LIVER, BOWEL)[:1]
    found = refined(image, network, (0.0,))
    assert found[:, LIVER].mean() > 0.95
    assert found[:, BOWEL].mean() < 0.1


@pytest.mark.parametrize("corner", [False, True])
def test_the_exam_is_learnt_the_same_from_its_liver_and_from_the_whole_image(
    corner: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Learning looks at the liver's surroundings alone; a liver in a corner of the grid has some beyond its border."""
    small = (Y - 40) ** 2 + (X - 32) ** 2 < 12**2
    image, network = stack(bowel=0.6, shading=0.4), claimed(small)
    if corner:
        image, network = image[:, 26:, 20:], network[:, 26:, 20:]
        image, network = (np.pad(a, ((0, 0), (0, 26), (0, 20))) for a in (image, network))
    args = network, image.astype("f4"), image, grid(), (4.0, 4.0), HEIGHTS
    found = refine(*args)
    monkeypatch.setattr(tissue_, "_around", lambda outline: (slice(None),) * 3)
    np.testing.assert_allclose(found, refine(*args), atol=1e-5)


def test_all_zero_and_constant_images_do_no_harm() -> None:
    for image in (np.zeros((3, CELLS, CELLS)), np.full((3, CELLS, CELLS), 7.0)):
        with np.errstate(all="raise"):
            out = refine(claimed(LIVER), image.astype("f4"), image, grid(), (4.0, 4.0), HEIGHTS)
        assert np.isfinite(out).all()


def test_the_network_alone_is_the_network_on_the_images_pixels() -> None:
    """The comparison in the model card stands on it: no evidence of brightness, no smoothing, no neighbours."""
    image = stack()
    slices = tuple(
        Slice(replace(PLANE, origin_mm=(0.0, 0.0, z)), s.astype("f4")) for z, s in zip(HEIGHTS, image, strict=True)
    )
    exam = Exam(slices, Acquisition("test"), "test")
    said = claimed(LIVER, BOWEL)

    def engine(inputs: np.ndarray) -> np.ndarray:
        return np.stack([1 - said, said], axis=1)[: len(inputs)]

    alone = Segmenter(ModelFile(Path(), ModelCard("said", "0", ""), 4.0, 1), engine, own_tissue=False)
    assert np.array_equal(alone.probability(exam), grid().up(said))
    assert not np.array_equal(replace(alone, own_tissue=True).probability(exam), grid().up(said))
