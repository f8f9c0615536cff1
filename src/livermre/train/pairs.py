"""Training batches from an archive of real images with masks: images/ID.nii.gz and labels/ID.nii.gz."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import torch
import torch.nn.functional as F

from livermre.exam.errors import Contradiction, CorruptFile, NothingFound
from livermre.train import artefacts
from livermre.train.classes import LIVER
from livermre.train.fields import Draw, smooth_field
from livermre.train.loop import MakeBatch, Stage
from livermre.train.synthesis import FIELD_MM, Batch, resize


@dataclass(frozen=True)
class Pair:
    """One volume of the archive on the training pixel: image (S, N, M) float32 and liver (S, N, M) int64."""

    name: str
    image: torch.Tensor
    liver: torch.Tensor


def load_pairs(folder: Path, pixel_mm: float) -> list[Pair]:
    """All image/label pairs of a folder, rows front to back and columns right to left, on square pixels.

    Label 1 is the liver. Raises NothingFound, Contradiction (a label without image, or of another shape), CorruptFile.
    """
    images = {p.name: p for p in sorted((folder / "images").glob("*.nii*"))}
    labels = {p.name: p for p in sorted((folder / "labels").glob("*.nii*"))}
    if not images or not labels:
        raise NothingFound(
            f"{folder.name} needs images/ID.nii.gz and labels/ID.nii.gz; found {len(images)} and {len(labels)}"
        )
    odd = sorted(set(images) ^ set(labels))
    if odd:
        raise Contradiction(
            f"every image needs a label of the same name and the other way round; alone: {', '.join(odd[:5])}"
        )
    return [_load_pair(name, images[name], labels[name], pixel_mm) for name in images]


def _load_pair(name: str, image_path: Path, label_path: Path, pixel_mm: float) -> Pair:
    image, spacing = _load(image_path)
    label, _ = _load(label_path)
    if image.shape != label.shape:
        raise Contradiction(f"{name}: image is {image.shape} but its label is {label.shape}")
    size = [max(1, round(n * s / pixel_mm)) for n, s in zip(image.shape[1:], spacing, strict=True)]
    x = F.interpolate(torch.from_numpy(image)[None], size, mode="area")[0]
    y = F.interpolate((torch.from_numpy(label) == 1).float()[None], size, mode="area")[0]
    return Pair(name, x.clamp_min(0), (y >= 0.5).long() * LIVER)


def _load(path: Path) -> tuple[np.ndarray, tuple[float, float]]:
    """Array (S, R, C) float32 foot to head, front to back, right to left, and its in-plane spacing in mm."""
    try:
        nifti = nibabel.as_closest_canonical(nibabel.load(path))
        array = np.asarray(nifti.dataobj, dtype=np.float32)
    except (OSError, EOFError, zlib.error, ValueError, nibabel.filebasedimages.ImageFileError) as error:
        raise CorruptFile(f"{path.name} is not a readable NIfTI volume") from error
    if array.ndim != 3:
        raise CorruptFile(f"{path.name} has {array.ndim} axes; a volume needs 3")
    # RAS+ turned to slice, front-to-back row, right-to-left column
    turned = np.ascontiguousarray(array.transpose(2, 1, 0)[:, ::-1, ::-1])
    zooms = nifti.header.get_zooms()
    return turned, (float(zooms[1]), float(zooms[0]))


def paired_batches(folder: Path, seed: int, finest: int) -> MakeBatch:
    """Batches of randomly placed, scaled and degraded real slices; the same step always gives the same batch.

    finest: pixels of the last stage; coarser stages show the same field of view with fewer.
    """
    return batches_of(load_pairs(folder, FIELD_MM / finest), seed, finest)


def batches_of(pairs: list[Pair], seed: int, finest: int) -> MakeBatch:
    """The batches of `paired_batches` from volumes that are loaded already."""

    def batch(step: int, stage: Stage) -> Batch:
        draw = Draw(seed, step)
        cuts = [_cut(pairs, finest, draw) for _ in range(stage.batch)]
        image, target = torch.stack([c[0] for c in cuts]), torch.stack([c[1] for c in cuts])
        image, target = _warp(image, target, draw)
        image = image * artefacts.coil_shading(image, draw)
        return Batch(*resize(artefacts.gamma(artefacts.noise(image, draw), draw), target, stage.size))

    return batch


def _cut(pairs: list[Pair], size: int, draw: Draw) -> tuple[torch.Tensor, torch.Tensor]:
    """A centred slice triplet (3, size, size) and its liver (size, size)."""
    u, v, w = draw.uniform(3).tolist()
    pair = pairs[int(u * len(pairs))]
    count = pair.image.shape[0]
    i = int(v * count)
    three = [i, i, i] if w < 0.35 else [max(i - 1, 0), i, min(i + 1, count - 1)]
    return _fit(pair.image[three], size), _fit(pair.liver[i], size)


def _fit(image: torch.Tensor, size: int) -> torch.Tensor:
    """Pad with zeros or crop, both centred, to (..., size, size)."""
    for axis in (-2, -1):
        spare = size - image.shape[axis]
        pad = [0, 0, 0, 0]
        pad[0 if axis == -1 else 2], pad[1 if axis == -1 else 3] = spare // 2, spare - spare // 2
        image = F.pad(image, pad)
    return image


def _warp(image: torch.Tensor, target: torch.Tensor, draw: Draw) -> tuple[torch.Tensor, torch.Tensor]:
    """Random affine and elastic warp of images (linear) and labels (nearest); no mirror: left stays left."""
    batch, _, n, _ = image.shape
    turn, size = draw.uniform(batch, -0.2, 0.2), torch.exp(draw.uniform(batch, -0.2, 0.2))
    shift = draw.uniform((batch, 2), -0.12, 0.12)
    cos, sin = torch.cos(turn) / size, torch.sin(turn) / size
    matrix = torch.stack([torch.stack([cos, -sin, shift[:, 0]], 1), torch.stack([sin, cos, shift[:, 1]], 1)], 1)
    grid = F.affine_grid(matrix, [batch, 1, n, n], align_corners=False)
    for cells, amount in ((4, 0.07), (9, 0.03)):
        grid = grid + amount * (smooth_field(batch, 2, n, cells, draw) * draw.uniform((batch, 1, 1, 1))).permute(
            0, 2, 3, 1
        )
    moved = F.grid_sample(image, grid, align_corners=False)
    labels = F.grid_sample(target[:, None].float(), grid, mode="nearest", align_corners=False)[:, 0].long()
    return moved, labels
