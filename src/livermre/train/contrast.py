"""Brightness for label maps: every tissue gets a random mean, texture and inner structure."""

import torch

from livermre.simulate.tissue import Tissue as T
from livermre.train.fields import Draw, smooth_field

_N = 32  # room for every Tissue number and a few spare ones

# Typical brightness of abdominal MR, fat-bright and fat-suppressed; only anchors for half of the draws, which are
# scattered widely around them. Order of magnitude by eye, project's choice.
_ANCHORS: dict[T, tuple[float, float]] = {
    T.AIR: (0.0, 0.0),
    T.INNER_FAT: (0.85, 0.2),
    T.SKIN_FAT: (0.95, 0.22),
    T.MUSCLE: (0.35, 0.28),
    T.BONE: (0.4, 0.25),
    T.SPINAL_CANAL: (0.45, 0.8),
    T.LUNG: (0.05, 0.05),
    T.HEART: (0.5, 0.5),
    T.ARTERY: (0.7, 0.3),
    T.VEIN: (0.6, 0.35),
    T.PORTAL_VEIN: (0.6, 0.4),
    T.LIVER: (0.5, 0.4),
    T.SPLEEN: (0.45, 0.65),
    T.KIDNEY_RIGHT: (0.5, 0.7),
    T.KIDNEY_LEFT: (0.5, 0.7),
    T.STOMACH: (0.4, 0.6),
    T.COLON: (0.4, 0.5),
    T.SMALL_BOWEL: (0.45, 0.6),
    T.PANCREAS: (0.5, 0.5),
    T.GALLBLADDER: (0.5, 0.95),
    T.LIVER_VESSEL: (0.6, 0.4),
    T.OESOPHAGUS: (0.4, 0.5),
    T.ARM: (0.6, 0.35),
    T.GLAND: (0.45, 0.5),
    T.ASCITES: (0.3, 0.95),
    T.LIVER_LESION: (0.4, 0.65),
}
_LOOKALIKES = (T.SPLEEN, T.MUSCLE, T.STOMACH, T.COLON, T.SMALL_BOWEL, T.PANCREAS, T.HEART, T.KIDNEY_RIGHT)
_LOOKALIKE_SHARE = 0.15
"""How often each of them gets nearly the liver's brightness: about one an image on average."""
_HOLLOW = (T.STOMACH, T.COLON, T.SMALL_BOWEL)
_PLAIN = (T.INNER_FAT, T.MUSCLE, T.SPLEEN, T.HEART, T.BONE)


def paint(labels: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Clean magnitude (B, 3, N, N) float32 >= 0 for label triplets (B, 3, N, N) uint8."""
    batch, planes, n, _ = labels.shape
    mean = tissue_means(batch, draw)
    index = labels.flatten(1).long()
    image = mean.gather(1, index).view(labels.shape)
    image = _inner_structure(image, labels, mean, draw)
    grain = draw.uniform((batch, _N), 0.0, 0.16).gather(1, index).view(labels.shape)
    texture = smooth_field(batch, planes, n, 40, draw) * 0.7 + smooth_field(batch, planes, n, 14, draw) * 0.6
    return (image * (1 + grain * texture)).clamp_min(0.0)


def tissue_means(batch: int, draw: Draw) -> torch.Tensor:
    """Mean brightness (B, 32) of every tissue, 0..~1: half anchored to MR contrasts, half free."""
    anchors = torch.full((2, _N), 0.5, device=draw.device)
    for tissue, (bright_fat, dark_fat) in _ANCHORS.items():
        anchors[0, tissue], anchors[1, tissue] = bright_fat, dark_fat
    mix = draw.uniform((batch, 1), -0.1, 1.1)
    anchored = anchors[0] * (1 - mix) + anchors[1] * mix
    anchored = anchored * torch.exp(draw.normal((batch, _N)) * 0.35)
    free = draw.uniform((batch, _N), 0.04, 1.0)
    mean = torch.where(draw.chance(batch, 0.5)[:, None], anchored, free).clamp(0.0, 1.4)
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
