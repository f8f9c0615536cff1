"""Endless training images from label maps: random slice, shape, contrast, coil, resolution, artefacts and noise.

Everything is drawn from one generator seeded by (seed, step): a resumed run continues the same sequence, and the
same machine gives the same bytes. Domain randomisation after SynthSeg (Billot 2023, doi 10.1016/j.media.2023.102789).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F

from livermre.simulate.tissue import Tissue
from livermre.train import artefacts, contrast
from livermre.train.bank import BankVolume
from livermre.train.classes import CLASS_OF_TISSUE
from livermre.train.fields import Draw, smooth_field
from livermre.train.neighbours import Neighbours, with_neighbours

PIXEL_MM = 3.0
"""Pixel of the rendering grid; coarser training grids are averaged down from it."""
FIELD_MM = 384.0
"""Field of view of every training image, whatever its number of pixels."""


class Batch(NamedTuple):
    """One training batch."""

    image: torch.Tensor  # (B, 3, N, N) float32, normalised: slice below, the slice itself, slice above
    target: torch.Tensor  # (B, N, N) int64, class numbers of classes.py


@dataclass(frozen=True)
class Recipe:
    """How the generator draws; lengths in mm, shares 0..1."""

    pixels: int = round(FIELD_MM / PIXEL_MM)  # rendering grid
    rotation_rad: float = 0.17
    scale: float = 0.22  # sd-like half range of log scale
    shift_mm: float = 22.0
    tilt: float = 0.12  # mm along z per mm in plane
    warp_mm: tuple[float, ...] = (14.0, 6.0, 2.5)
    warp_cells: tuple[int, ...] = (4, 8, 18)
    depth_warp_mm: float = 10.0
    spacing_mm: tuple[float, float] = (4.0, 24.0)
    lone_slice: float = 0.35  # share of samples whose neighbours are unknown
    anywhere: float = 0.25  # share of slices drawn from the whole volume, liver or not
    low_end: float = 0.2  # share drawn about the liver's lower tip, where colon and omentum take its place
    neighbours: Neighbours = field(default_factory=Neighbours)


def make_batch(
    bank: Sequence[BankVolume],
    weights: torch.Tensor,
    *,
    seed: int,
    step: int,
    batch: int,
    size: int,
    recipe: Recipe | None = None,
    device: str = "cpu",
) -> Batch:
    """A batch of simulated images with their labels at (size, size) pixels.

    weights  (len(bank),) float, how often each volume is drawn
    """
    recipe = recipe or Recipe()
    draw = Draw(seed, step, device)
    labels = draw_labels(bank, weights, batch, recipe, draw)
    image = contrast.paint(labels, draw)
    image = artefacts.acquire(image, labels, draw)
    target = torch.as_tensor(CLASS_OF_TISSUE, device=device)[labels[:, 1].long()]
    return Batch(*resize(image, target, size))


def resize(image: torch.Tensor, target: torch.Tensor, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (B, 3, N, N) averaged to (size, size) and normalised, labels (B, N, N) by nearest neighbour."""
    if size != image.shape[-1]:
        image = F.interpolate(image, (size, size), mode="area")
        target = F.interpolate(target[:, None].float(), (size, size), mode="nearest-exact")[:, 0].long()
    return normalise(image), target


def normalise(image: torch.Tensor) -> torch.Tensor:
    """Squash magnitude into 0..1 around its own foreground level; the torch twin of segment.normalise.

    image  (B, K, N, N) float, magnitude >= 0; the K slices of a sample share one level
    """
    flat = image.flatten(1)
    above = torch.where(flat > flat.mean(1, keepdim=True), flat, torch.nan)
    level = above.nanmedian(1).values.nan_to_num(1.0).clamp_min(1e-12)[:, None, None, None]
    return image / (image + level)


def draw_labels(
    bank: Sequence[BankVolume], weights: torch.Tensor, batch: int, recipe: Recipe, draw: Draw
) -> torch.Tensor:
    """Label triplets (B, 3, N, N) uint8 cut from randomly chosen, placed and warped volumes."""
    chosen = torch.multinomial(weights.to(draw.device), batch, replacement=True, generator=draw.generator).tolist()
    where = _places(batch, recipe, draw)
    lone = draw.chance(batch, recipe.lone_slice)
    step = torch.where(lone, 0.0, draw.uniform(batch, *recipe.spacing_mm))
    cut, height = [], []
    for index, place, gap in zip(chosen, where, step.tolist(), strict=True):
        z = _height(bank[index], recipe, draw)
        cut.append(_cut(bank[index], place, z, (-gap, 0.0, gap)))
        height.append(_height_in_liver(bank[index], z))
    heights = torch.tensor(height, device=draw.device)
    return with_neighbours(torch.stack(cut), heights, step, PIXEL_MM, recipe.neighbours, draw)


def _places(batch: int, recipe: Recipe, draw: Draw) -> torch.Tensor:
    """In-plane and depth offsets (B, 3, N, N) in mm (z, row, column) of every pixel from the volume's centre."""
    n = recipe.pixels
    axis = (torch.arange(n, device=draw.device) - (n - 1) / 2) * PIXEL_MM
    row, column = torch.meshgrid(axis, axis, indexing="ij")
    angle = draw.uniform(batch, -recipe.rotation_rad, recipe.rotation_rad)[:, None, None]
    size = torch.exp(draw.uniform(batch, -recipe.scale, recipe.scale))
    stretch = torch.exp(draw.uniform(batch, -0.12, 0.12))
    shear = draw.uniform(batch, -0.1, 0.1)[:, None, None]
    shift = draw.uniform((batch, 2), -recipe.shift_mm, recipe.shift_mm)
    r = (row * torch.cos(angle) - column * torch.sin(angle)) / (size * stretch)[:, None, None]
    c = (row * torch.sin(angle) + column * torch.cos(angle)) / (size / stretch)[:, None, None] + shear * r
    r, c = r + shift[:, 0, None, None], c + shift[:, 1, None, None]
    tilt = draw.uniform((batch, 2), -recipe.tilt, recipe.tilt)
    z = tilt[:, 0, None, None] * row + tilt[:, 1, None, None] * column
    places = torch.stack([z, r, c], 1)
    for amount, cells in zip(recipe.warp_mm, recipe.warp_cells, strict=True):
        bend = smooth_field(batch, 3, n, cells, draw) * draw.uniform((batch, 1, 1, 1), 0.0, amount)
        bend[:, 0] *= recipe.depth_warp_mm / recipe.warp_mm[0]
        places = places + bend
    return places


def _cut(volume: BankVolume, place_mm: torch.Tensor, z0: float, steps_mm: tuple[float, ...]) -> torch.Tensor:
    """Three slices (3, N, N) uint8 of one volume by nearest neighbour; outside it is air in plane, edge along z."""
    nz, ny, nx = volume.labels.shape
    dz, dy, dx = volume.spacing_mm
    row = torch.round((place_mm[1] + volume.centre_mm[0]) / dy).long()
    column = torch.round((place_mm[2] + volume.centre_mm[1]) / dx).long()
    outside = (row < 0) | (row >= ny) | (column < 0) | (column >= nx)
    flat = row.clamp(0, ny - 1) * nx + column.clamp(0, nx - 1)
    out = []
    for step in steps_mm:
        z = torch.round((place_mm[0] + z0 + step) / dz).long().clamp(0, nz - 1)
        labels = volume.labels.view(-1)[z * (ny * nx) + flat]
        out.append(torch.where(outside, torch.zeros_like(labels), labels))
    return torch.stack(out)


def _height(volume: BankVolume, recipe: Recipe, draw: Draw) -> float:
    """A slice height in mm: mostly across the liver and a little beyond, often about its lower tip or anywhere."""
    u, v = draw.uniform(2, 0.0, 1.0).tolist()
    if volume.liver_mm is None or u < recipe.anywhere:
        return v * volume.height_mm
    low, high = volume.liver_mm
    if u < recipe.anywhere + recipe.low_end:
        return low - 45.0 + v * 80.0
    return low - 15.0 + v * (high - low + 25.0)


def _height_in_liver(volume: BankVolume, z_mm: float) -> float:
    """0 at the liver's lower end, 1 at its upper end; far above for a body without liver."""
    if volume.liver_mm is None:
        return 9.0
    low, high = volume.liver_mm
    return (z_mm - low) / max(high - low, 1.0)


__all__ = ["PIXEL_MM", "Batch", "Recipe", "Tissue", "draw_labels", "make_batch", "normalise"]
