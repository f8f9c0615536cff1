"""Livers that give way to bowel and fat, and thick walls: what is painted where, and what never is."""

import numpy as np
import torch

from livermre.simulate.tissue import LIVER_TISSUES, Tissue
from livermre.train.fields import Draw
from livermre.train.neighbours import Neighbours, with_neighbours

N, PIXEL_MM = 64, 3.0
LIVER = torch.tensor([int(t) for t in LIVER_TISSUES])
ALWAYS = Neighbours(displaced=1.0, thick_wall=0.0)


def body(batch: int = 12) -> torch.Tensor:
    """A trunk with a wall of 12 mm, spine, and a liver with a vessel on the patient's right."""
    row, column = np.mgrid[:N, :N] - (N - 1) / 2
    radius = np.hypot(row, column)
    labels = np.zeros((N, N), np.uint8)
    labels[radius < 30] = Tissue.MUSCLE
    labels[radius < 26] = Tissue.INNER_FAT
    labels[(radius < 24) & (column < 2) & (row < 12)] = Tissue.LIVER
    labels[28:31, 14:24] = Tissue.LIVER_VESSEL
    labels[46:54, 28:36] = Tissue.BONE
    return torch.from_numpy(labels).expand(batch, 3, N, N).contiguous()


def drawn(recipe: Neighbours, height: float = 0.2, step_mm: float = 8.0, seed: int = 1) -> torch.Tensor:
    labels = body()
    full = torch.full((len(labels),), 1.0)
    return with_neighbours(labels, height * full, step_mm * full, PIXEL_MM, recipe, Draw(seed, 0))


def is_liver(labels: torch.Tensor) -> torch.Tensor:
    return torch.isin(labels.long(), LIVER)


def test_liver_only_gives_way_and_only_to_bowel_and_fat() -> None:
    before, after = body(), drawn(ALWAYS)
    assert not (is_liver(after) & ~is_liver(before)).any()
    assert torch.equal(after[~is_liver(before)], before[~is_liver(before)])
    given = set(after[is_liver(before) & ~is_liver(after)].unique().tolist())
    assert given == {Tissue.INNER_FAT, Tissue.COLON, Tissue.SMALL_BOWEL}
    left = is_liver(after[:, 1]).sum((1, 2)) / is_liver(before[:, 1]).sum((1, 2))
    assert left.min() == 0 and left.max() > 0.5  # some keep most of it, some nothing


def test_a_straight_border_from_the_left_leaves_the_right_part() -> None:
    """What stays lies to the patient's right: lower columns. A mirrored direction would leave the left."""
    straight = Neighbours(displaced=1.0, thick_wall=0.0, direction_rad=(np.pi / 2, np.pi / 2), bend_mm=0.0)
    before, after = is_liver(body()[:, 1]), is_liver(drawn(straight)[:, 1])
    gone = before & ~after
    column = torch.arange(N).expand(N, N)
    for stays, goes in zip(after, gone, strict=True):
        if stays.any() and goes.any():
            assert column[stays].max() <= column[goes].min()


def test_the_border_moves_outwards_with_height_by_the_drawn_rise() -> None:
    straight = Neighbours(1.0, direction_rad=(np.pi / 2, np.pi / 2), rise=(1.5, 1.5), bend_mm=0.0, thick_wall=0.0)
    after = is_liver(drawn(straight, step_mm=12.0))
    last = torch.where(after.any(2), torch.arange(N), -1).amax(-1)  # (B, 3) last liver column
    inside = (last > 10).all(1) & (last < 30).all(1)
    assert inside.any()
    assert torch.allclose(last[inside].diff(dim=1).float(), torch.tensor(12.0 * 1.5 / PIXEL_MM), atol=1.01)


def test_slices_high_in_the_liver_stay_as_they_are() -> None:
    assert torch.equal(drawn(ALWAYS, height=0.61), body())


def test_a_thick_wall_grows_in_front_by_no_more_than_it_may_and_spares_the_back() -> None:
    recipe = Neighbours(displaced=0.0, thick_wall=1.0, wall_mm=(9.0, 9.0))
    before, after = body(), drawn(recipe)
    grown = (after == Tissue.MUSCLE) & (before != Tissue.MUSCLE)
    assert grown[..., : N // 2, :].float().mean() > 0.02
    assert not grown[..., -N // 4 :, :].any()
    row, column = np.mgrid[:N, :N] - (N - 1) / 2
    depth_mm = torch.from_numpy((26 - np.hypot(row, column)) * PIXEL_MM)
    # never more rings than the largest depth holds, one pixel each; a diagonal ring reaches further
    assert depth_mm.expand_as(grown)[grown].max() <= 9.0 + PIXEL_MM * 2**0.5
    assert torch.equal(after == Tissue.BONE, before == Tissue.BONE)
