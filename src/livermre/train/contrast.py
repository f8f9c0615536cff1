"""Brightness for label maps: every tissue gets a random mean, texture and inner structure."""

import torch

from livermre.simulate.tissue import Tissue as T
from livermre.train.fields import Draw, smooth_field
from livermre.train.sequences import TISSUES, signal_means

_PHYSICAL_SHARE = 0.65
"""How many samples follow the signal equations; the rest is free, for sequences that nobody has thought of."""
_ONE_FAT_SHARE = 0.6
"""How often the fat of the skin and of the belly are equally bright in a free sample."""
_LOOKALIKES = (T.SPLEEN, T.MUSCLE, T.STOMACH, T.COLON, T.SMALL_BOWEL, T.PANCREAS, T.HEART, T.KIDNEY_RIGHT)
_LOOKALIKE_SHARE = 0.15
"""How often each of them gets nearly the liver's brightness: about one an image on average."""
_FAT_ALIKE_SHARE = 0.15
"""How often fat does: half-suppressed omental fat below the liver is its most frequent look-alike on T2 images."""
_VESSEL_LINE_SHARE = 0.4
"""How often the liver shows fine vessels that no label map has; on T2 images they may be five times brighter."""
_HOLLOW = (T.STOMACH, T.COLON, T.SMALL_BOWEL)
_PLAIN = (T.INNER_FAT, T.MUSCLE, T.SPLEEN, T.HEART, T.BONE)


def paint(labels: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Clean magnitude (B, 3, N, N) float32 >= 0 for label triplets (B, 3, N, N) uint8."""
    batch, planes, n, _ = labels.shape
    mean = tissue_means(batch, draw)
    index = labels.flatten(1).long()
    image = mean.gather(1, index).view(labels.shape)
    image = _inner_structure(image, labels, mean, draw)
    grain = draw.uniform((batch, TISSUES), 0.0, 0.16).gather(1, index).view(labels.shape)
    texture = smooth_field(batch, planes, n, 40, draw) * 0.7 + smooth_field(batch, planes, n, 14, draw) * 0.6
    return (image * (1 + grain * texture)).clamp_min(0.0)


def tissue_means(batch: int, draw: Draw) -> torch.Tensor:
    """Mean brightness (B, 32) of every tissue, 0..~1: most by the signal equations, some free."""
    free = draw.uniform((batch, TISSUES), 0.04, 1.0)
    one_fat = draw.chance(batch, _ONE_FAT_SHARE)
    free[:, T.INNER_FAT] = torch.where(one_fat, free[:, T.SKIN_FAT], free[:, T.INNER_FAT])
    mean = torch.where(draw.chance(batch, _PHYSICAL_SHARE)[:, None], signal_means(batch, draw), free)
    # a liver as good as black is an acquisition failure, not a shape to learn, unless iron makes it so (artefacts.py)
    mean[:, T.LIVER] = mean[:, T.LIVER].clamp_min(0.12)
    mean[:, T.KIDNEY_LEFT] = mean[:, T.KIDNEY_RIGHT]
    mean = _look_alike(mean, draw)
    dark = draw.uniform((batch, 2), 0.0, 0.06)
    mean[:, T.AIR] = dark[:, 0] * draw.chance(batch, 0.3)
    mean[:, T.LUNG] = dark[:, 1] + draw.uniform(batch, 0.0, 0.2) * draw.chance(batch, 0.25)
    return mean


def _look_alike(mean: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Give some neighbours nearly the liver's brightness: the hard cases of real images."""
    batch = mean.shape[0]
    for tissue in _LOOKALIKES:
        alike = mean[:, T.LIVER] * torch.exp(draw.normal((batch,)) * 0.08)
        mean[:, tissue] = torch.where(draw.chance(batch, _LOOKALIKE_SHARE), alike, mean[:, tissue])
    fat = mean[:, T.LIVER, None] * torch.exp(draw.normal((batch, 2)) * 0.12)
    alike = draw.chance(batch, _FAT_ALIKE_SHARE)[:, None]
    mean[:, [T.INNER_FAT, T.SKIN_FAT]] = torch.where(alike, fat, mean[:, [T.INNER_FAT, T.SKIN_FAT]])
    faint = mean[:, T.LIVER] * torch.exp(draw.normal((batch,)) * 0.1)
    for tissue, share in ((T.LIVER_VESSEL, 0.35), (T.LIVER_LESION, 0.3)):
        mean[:, tissue] = torch.where(draw.chance(batch, share), faint, mean[:, tissue])
    return mean


def _inner_structure(image: torch.Tensor, labels: torch.Tensor, mean: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Contents of bowel and stomach, streaks in fat and muscle, extra vessels and lesions in the liver."""
    image = _contents(image, labels, mean, draw)
    batch, planes, n, _ = labels.shape
    for tissues, cells, share, low, high in (
        (_PLAIN, 12, 0.35, 0.5, 1.6),
        (_PLAIN, 28, 0.35, 0.5, 1.6),
        ((T.LIVER,), 30, 0.45, 0.4, 2.6),  # vessels of a dark liver may be far brighter than it
        ((T.LIVER,), 12, 0.15, 0.4, 1.8),
    ):
        field = _coherent(batch, planes, n, cells, draw)
        limit = draw.uniform((batch, 1, 1, 1), 1.2, 2.2)
        factor = draw.uniform((batch, 1, 1, 1), low, high)
        spots = (field > limit) & _is(labels, tissues) & draw.chance(batch, share)[:, None, None, None]
        image = torch.where(spots, image * factor, image)
    return _vessel_lines(image, labels, draw)


def _vessel_lines(image: torch.Tensor, labels: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Thin winding lines in the liver, far brighter or darker than it: most shapes come without its vessels.

    The zero lines of smooth noise, interrupted by other noise, branch and end as vessels cut by a slice do.
    """
    batch, planes, n, _ = labels.shape
    for cells in (9, 17):
        course, gate = _coherent(batch, planes, n, cells, draw), _coherent(batch, planes, n, 7, draw)
        width = draw.uniform((batch, 1, 1, 1), 0.04, 0.16)
        factor = torch.exp(draw.uniform((batch, 1, 1, 1), -1.2, 1.6))  # 0.3 to 5
        line = (course.abs() < width) & (gate > draw.uniform((batch, 1, 1, 1), -0.6, 1.0)) & _is(labels, (T.LIVER,))
        line &= draw.chance(batch, _VESSEL_LINE_SHARE)[:, None, None, None]
        image = torch.where(line, image * factor, image)
    return image


def _contents(image: torch.Tensor, labels: torch.Tensor, mean: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Hollow organs hold wall, fluid, food and gas in random patches, coarse or fine."""
    batch, planes, n, _ = labels.shape
    for tissue in _HOLLOW:
        inside = labels == tissue
        for cells, low, high in ((9, 0.0, 1.2), (22, 0.0, 1.2)):
            field = _coherent(batch, planes, n, cells, draw)
            limit = draw.uniform((batch, 1, 1, 1), -0.3, 1.8)
            value = draw.uniform((batch, 1, 1, 1), low, high)
            # a quarter of the patches is gas
            value = torch.where(draw.chance(batch, 0.25)[:, None, None, None], 0.02 * value, value)
            used = draw.chance(batch, 0.6)[:, None, None, None]
            image = torch.where(inside & (field > limit) & used, value, image)
    return image


def _coherent(batch: int, planes: int, n: int, cells: int, draw: Draw) -> torch.Tensor:
    """Smooth noise (B, P, N, N), partly shared by the neighbouring slices."""
    return 0.8 * smooth_field(batch, 1, n, cells, draw) + 0.6 * smooth_field(batch, planes, n, cells, draw)


def _is(labels: torch.Tensor, tissues: tuple[T, ...]) -> torch.Tensor:
    found = labels == tissues[0]
    for tissue in tissues[1:]:
        found |= labels == tissue
    return found
