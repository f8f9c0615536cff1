"""What may lie where a liver could: omentum and bowel in front of its lower part, thick abdominal walls before it.

Bodies of a bank are few and their livers fill the right upper belly; in slim people its lower part is a thin crescent
beside colon and omentum. Both are painted into the label triplets, so every body can be like that.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from livermre.simulate.tissue import LIVER_TISSUES, Tissue
from livermre.train.fields import Draw, smooth_field

_PAINTED_OVER = (*LIVER_TISSUES, Tissue.GALLBLADDER)
_WALL = (Tissue.SKIN_FAT, Tissue.MUSCLE, Tissue.BONE)
_NEVER_MUSCLE = (*_WALL, Tissue.AIR, Tissue.LUNG, Tissue.HEART, Tissue.SPINAL_CANAL, Tissue.ARM)


@dataclass(frozen=True)
class Neighbours:
    """How often and how far; shares 0..1, lengths in mm."""

    displaced: float = 0.45  # share of the samples from the liver's lower part or below it
    below: float = 0.6  # of the liver's height: higher slices stay as they are
    direction_rad: tuple[float, float] = (-0.4, 1.5)  # of what comes in: 0 from the front, pi/2 from the left
    rise: tuple[float, float] = (-0.3, 1.6)  # mm in plane that the border moves outwards per mm upwards
    bend_mm: float = 14.0
    gap_mm: float = 9.0  # at most this much fat between liver and bowel
    thick_wall: float = 0.2
    wall_mm: tuple[float, float] = (4.0, 16.0)


def with_neighbours(
    labels: torch.Tensor, height: torch.Tensor, step_mm: torch.Tensor, pixel_mm: float, recipe: Neighbours, draw: Draw
) -> torch.Tensor:
    """Label triplets in which some livers give way to bowel and omentum, and some front walls are thick.

    labels   (B, 3, N, N) uint8 Tissue numbers, rows front to back, columns right to left; slice below, itself, above
    height   (B,) float, of the middle slice: 0 at the liver's lower end, 1 at its upper end
    step_mm  (B,) float, mm between the slices of a triplet (0 where all three are the same slice)
    """
    moved = _displaced(labels, step_mm, pixel_mm, recipe, draw)
    use = draw.chance(len(labels), recipe.displaced) & (height < recipe.below)
    labels = torch.where(use[:, None, None, None], moved, labels)
    thick = _thick_wall(labels, pixel_mm, recipe, draw)
    return torch.where(draw.chance(len(labels), recipe.thick_wall)[:, None, None, None], thick, labels)


def _displaced(
    labels: torch.Tensor, step_mm: torch.Tensor, pixel_mm: float, recipe: Neighbours, draw: Draw
) -> torch.Tensor:
    """Labels whose liver ends at a random curved border; beyond it lie fat and bowel."""
    batch, planes, n, _ = labels.shape
    beyond_mm = _border(labels, step_mm, pixel_mm, recipe, draw)
    loops = 0.8 * smooth_field(batch, 1, n, 13, draw) + 0.4 * smooth_field(batch, planes, n, 13, draw)
    limit = draw.uniform((batch, 1, 1, 1), -1.6, 1.4)
    gap = draw.uniform((batch, 1, 1, 1), 0.0, recipe.gap_mm)
    bowel = (loops > limit) & (beyond_mm > gap)
    kind = torch.where(draw.chance(batch, 0.7), int(Tissue.COLON), int(Tissue.SMALL_BOWEL)).to(labels)
    filling = torch.where(bowel, kind[:, None, None, None], torch.full_like(labels, int(Tissue.INNER_FAT)))
    return torch.where((beyond_mm > 0) & _is(labels, _PAINTED_OVER), filling, labels)


def _border(
    labels: torch.Tensor, step_mm: torch.Tensor, pixel_mm: float, recipe: Neighbours, draw: Draw
) -> torch.Tensor:
    """How far each pixel lies beyond the border, mm (B, 3, N, N) float; it leaves a random part of the liver."""
    batch, _, n, _ = labels.shape
    axis = (torch.arange(n, device=draw.device) - (n - 1) / 2) * pixel_mm
    row, column = torch.meshgrid(axis, axis, indexing="ij")
    angle = draw.uniform((batch, 1, 1), *recipe.direction_rad)
    along = column * torch.sin(angle) - row * torch.cos(angle)  # rows grow to the back, columns to the left
    along = along + recipe.bend_mm * smooth_field(batch, 1, n, 5, draw)[:, 0] * draw.uniform((batch, 1, 1))
    part = draw.uniform(batch, -0.15, 0.9)  # of the liver that stays: often nothing
    start = torch.stack([_quantile(*its) for its in zip(along, _is(labels[:, 1], _PAINTED_OVER), part.tolist())])
    steps = torch.tensor([-1.0, 0.0, 1.0], device=draw.device)[None] * step_mm[:, None]
    border = start[:, None] + steps * draw.uniform((batch, 1), *recipe.rise)
    return along[:, None] - border[:, :, None, None]


def _quantile(along: torch.Tensor, inside: torch.Tensor, share: float) -> torch.Tensor:
    """The value below which a share of the pixels inside lie; below all of them for a negative share or none inside."""
    values = along[inside]
    if share <= 0 or not values.numel():
        return along.amin() - 100.0
    return values.sort().values[int(share * (len(values) - 1))]


def _thick_wall(labels: torch.Tensor, pixel_mm: float, recipe: Neighbours, draw: Draw) -> torch.Tensor:
    """Labels whose abdominal muscles reach a random way further in, more in front than at the back."""
    batch, _, n, _ = labels.shape
    depth = draw.uniform(batch, *recipe.wall_mm)
    front = torch.linspace(1.3, -0.3, n, device=draw.device).clamp(0, 1)[None, :, None]
    shape = (1 + 0.5 * smooth_field(batch, 1, n, 6, draw)[:, 0]).clamp(0.2, 2.0)
    reach = (depth[:, None, None] * front * shape / pixel_mm)[:, None]
    inside = ~_is(labels, _NEVER_MUSCLE)
    out, near = labels, _is(labels, _WALL).float()
    for ring in range(1, 1 + round(recipe.wall_mm[1] / pixel_mm)):
        near = F.max_pool2d(near, 3, 1, 1)
        out = torch.where((near > 0) & inside & (reach >= ring), torch.full_like(labels, int(Tissue.MUSCLE)), out)
    return out


def _is(labels: torch.Tensor, tissues: tuple[Tissue, ...]) -> torch.Tensor:
    found = labels == int(tissues[0])
    for tissue in tissues[1:]:
        found |= labels == int(tissue)
    return found
