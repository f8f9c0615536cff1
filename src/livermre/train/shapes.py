"""Shape bank of the training generator: whole bodies, livers of other patients, and livers transplanted into bodies.

Every array is [slice, row, column] = (foot -> head, anterior -> posterior, patient right -> left), `Tissue` numbers.
"""

import csv
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import nibabel
import nibabel.affines
import nibabel.filebasedimages
import nibabel.orientations
import numpy as np
from scipy import ndimage

from livermre.exam.errors import InputError
from livermre.simulate.tissue import LIVER_TISSUES, Tissue

Spacing = tuple[float, float, float]

BODY = 100  # working number, never in a finished Shape: inside the outline, without a name of its own
BELOW_LIVER_MM, ABOVE_LIVER_MM = 70.0, 50.0
COMPLETE_EDGE_FRACTION = 0.10  # a liver whose cut face is smaller than this part of its largest section counts as whole
HOLLOW_MM2 = {  # organs that sources draw as walls, and the largest section of their lumen
    Tissue.HEART: 12000.0,
    Tissue.STOMACH: 5000.0,
    Tissue.COLON: 3000.0,
    Tissue.SMALL_BOWEL: 2000.0,
}
WALL = (Tissue.AIR, Tissue.SKIN_FAT, Tissue.MUSCLE, Tissue.BONE, Tissue.SPINAL_CANAL, Tissue.ARM)
KEEP_OUT = (*WALL, Tissue.ARTERY, Tissue.VEIN, Tissue.KIDNEY_RIGHT, Tissue.KIDNEY_LEFT)  # a pasted liver stops there
FILLERS = (Tissue.INNER_FAT, Tissue.LUNG, Tissue.STOMACH, Tissue.COLON, Tissue.SMALL_BOWEL)
MIN_KEPT = 0.75  # part of a pasted liver that must find room, else the transplant is refused
LIVER_ML = (700.0, 3000.0)  # outside: a cut or wrongly spaced mask
LIKERT_MIN = 4


class ShapeError(InputError, ValueError):
    """A label map that cannot become a Shape; the message says what is wrong with it."""


@dataclass(frozen=True)
class Shape:
    """One anatomy of the bank.

    `labels` uint8 [slice, row, column] (foot -> head, anterior -> posterior, patient right -> left), `spacing_mm` in
    the same order. `complete_liver` is False where the field of view cuts the liver.
    """

    name: str
    labels: np.ndarray
    spacing_mm: Spacing
    complete_liver: bool = True


# --- names -----------------------------------------------------------------------------------------------------------


@cache
def _table() -> dict:
    """The data table `label_names.json`."""
    return json.loads(Path(__file__).with_name("label_names.json").read_text(encoding="utf-8"))


def tissue_of(name: str) -> int | None:
    """The `Tissue` number (or `BODY`) of a structure name, None if the table does not know it."""
    wanted = name.strip().lower().replace(" ", "_")
    for tissue, patterns in _table()["tissues"].items():
        if any(fnmatch(wanted, pattern) for pattern in patterns):
            return BODY if tissue == "BODY" else int(Tissue[tissue])
    return None


def _lookup(names: dict[int, str], where: str) -> np.ndarray:
    """Table uint8 [256] from label number to tissue; raises ShapeError listing unknown names."""
    tissues = {number: tissue_of(name) for number, name in names.items()}
    unknown = sorted(names[number] for number, tissue in tissues.items() if tissue is None)
    if unknown:
        raise ShapeError(f"{where}: no tissue is known for these label names: {', '.join(unknown)}")
    table = np.zeros(256, np.uint8)
    for number, tissue in tissues.items():
        table[number] = tissue or 0
    return table


def _names_beside(path: Path, root: Path) -> dict[int, str] | None:
    """Label names from the nearest `labels.json` between the file's folder and `root`, else None."""
    for folder in (path.parent, *path.parent.parents):
        if (folder / "labels.json").is_file():
            named = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
            return {int(number): name for name, number in named.items()}
        if folder == root:
            break
    return None


def _names_inside(image: nibabel.Nifti1Image) -> dict[int, str] | None:
    """Label names from the label table that TotalSegmentator writes into the header extension, else None."""
    for extension in image.header.extensions:
        raw = extension.get_content()
        text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
        found = re.findall(r'<Label Key="(\d+)"[^>]*><!\[CDATA\[([^\]]*)\]\]>', text)
        if found:
            return {int(number): name for number, name in found}
    return None


def _names_known(path: Path) -> dict[int, str] | None:
    """Label names of the published numbering that the file name asks for, else None."""
    for pattern, key in _table()["numbering"].items():
        if fnmatch(path.name, pattern):
            return dict(enumerate(_table()["class_maps"][key], start=1))
    return None


# --- reading ---------------------------------------------------------------------------------------------------------


def _three(values: Iterable[float]) -> Spacing:
    """Exactly three numbers as a tuple of floats."""
    first, second, third = (float(value) for value in values)
    return first, second, third


def _oriented(image: nibabel.Nifti1Image) -> tuple[np.ndarray, Spacing]:
    """Voxels as [slice, row, column] of the bank's order and their spacing in mm, by the affine's nearest axes."""
    wanted = nibabel.orientations.axcodes2ornt(("L", "P", "S"))
    turn = nibabel.orientations.ornt_transform(nibabel.io_orientation(image.affine), wanted)
    voxels = nibabel.orientations.apply_orientation(np.asanyarray(image.dataobj), turn)
    sizes = np.empty(3)
    sizes[turn[:, 0].astype(int)] = nibabel.affines.voxel_sizes(image.affine)
    return np.ascontiguousarray(voxels.transpose(2, 1, 0)), _three(sizes[::-1])


def _load_image(path: Path) -> nibabel.Nifti1Image:
    """The opened three-dimensional NIfTI; raises ShapeError if it is none."""
    try:
        image = nibabel.load(path)
    except (nibabel.filebasedimages.ImageFileError, OSError, EOFError) as error:
        raise ShapeError(f"{path.name} cannot be read as NIfTI: {error}") from error
    if len(image.shape) != 3:
        raise ShapeError(f"{path.name} has {len(image.shape)} axes; a label map has three")
    return image


def _tissues_of(path: Path, root: Path) -> tuple[np.ndarray, Spacing] | None:
    """Working tissue map uint8 and spacing of a label file; None for an image that is no label map."""
    image = _load_image(path)
    names = _names_beside(path, root) or _names_inside(image) or _names_known(path)
    if names is None or max(names) > 255:
        return None
    voxels, spacing = _oriented(image)
    if voxels.min() < 0 or voxels.max() > 255:
        raise ShapeError(f"{path.name} holds values outside 0-255; it is no label map")
    present = {int(number): names.get(int(number), f"number {number}") for number in np.unique(voxels) if number}
    return _lookup(present, path.name)[voxels.astype(np.uint8)], spacing


def _label_files(folder: Path) -> Iterator[Path]:
    """NIfTI files below the folder, in order, without the ones the table says to skip."""
    for path in sorted(folder.rglob("*.nii*")):
        if not any(fnmatch(path.name, pattern) for pattern in _table()["skip"]):
            yield path


# --- resampling ------------------------------------------------------------------------------------------------------


def _axis_weights(count: int, step: float, new_step: float) -> np.ndarray:
    """Weights float32 [new, old] of a triangle filter as wide as the coarser of the two steps, centres aligned."""
    new_count = max(1, round(count * step / new_step))
    old = (np.arange(count) - (count - 1) / 2) * step
    new = (np.arange(new_count) - (new_count - 1) / 2) * new_step
    weights = np.clip(1 - np.abs(new[:, None] - old[None, :]) / max(step, new_step), 0, None)
    empty = weights.sum(1) == 0
    weights[empty, np.abs(new[empty, None] - old[None, :]).argmin(1)] = 1
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def _resample_field(field: np.ndarray, weights: Sequence[np.ndarray]) -> np.ndarray:
    """Float field resampled along its three axes with one weight matrix each."""
    out = field @ weights[2].T
    out = weights[1] @ out
    return np.einsum("zs,syx->zyx", weights[0], out, optimize=True)


def resample_labels(labels: np.ndarray, spacing: Spacing, new_spacing: Spacing) -> np.ndarray:
    """Label map on a new grid: each voxel takes the tissue with the largest share in it (uint8)."""
    if np.allclose(spacing, new_spacing):
        return labels.copy()
    weights = [_axis_weights(*args) for args in zip(labels.shape, spacing, new_spacing, strict=True)]
    best = np.zeros([len(weight) for weight in weights], np.float32)
    out = np.zeros(best.shape, np.uint8)
    for value in np.unique(labels):
        box = ndimage.find_objects((labels == value).astype(np.uint8))[0]
        parts = [weight[:, cut] for weight, cut in zip(weights, box, strict=True)]
        # only the new voxels that the box reaches
        hit = tuple(slice(*(np.flatnonzero(part.any(1))[[0, -1]] + (0, 1))) for part in parts)
        parts = [part[cut] for part, cut in zip(parts, hit, strict=True)]
        share = _resample_field((labels[box] == value).astype(np.float32), parts)
        wins = share > best[hit] + 1e-6
        best[hit][wins] = share[wins]
        out[hit][wins] = value
    return out


def _signed_distance(mask: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Distance to the border in mm (float32), positive inside."""
    inside = ndimage.distance_transform_edt(mask, spacing)
    return (inside - ndimage.distance_transform_edt(~mask, spacing)).astype(np.float32)


def _resample_mask(mask: np.ndarray, spacing: Spacing, new_spacing: Spacing) -> np.ndarray:
    """Mask on a new grid through its distance map, so that thick slices become a smooth surface."""
    weights = [_axis_weights(*args) for args in zip(mask.shape, spacing, new_spacing, strict=True)]
    field = _resample_field(_signed_distance(mask, spacing), weights)
    return ndimage.gaussian_filter(field, 0.8) > 0


# --- small tools -----------------------------------------------------------------------------------------------------


def _is(labels: np.ndarray, tissues: Sequence[int]) -> np.ndarray:
    """Mask of the voxels that carry one of the tissues."""
    table = np.zeros(256, bool)
    table[[int(tissue) for tissue in tissues]] = True
    return table[labels]


def _near(mask: np.ndarray, distance_mm: float, spacing: Sequence[float]) -> np.ndarray:
    """Mask grown by a distance in mm."""
    if not mask.any():
        return mask.copy()
    return ndimage.distance_transform_edt(~mask, spacing) <= distance_mm


def _closed(mask: np.ndarray, distance_mm: float, spacing: Spacing) -> np.ndarray:
    """Mask grown and shrunk again by a distance in mm: gaps narrower than twice the distance disappear."""
    grown = _near(mask, distance_mm, spacing)
    if not grown.any() or grown.all():
        return grown
    return (ndimage.distance_transform_edt(grown, spacing) > distance_mm) | mask


def _largest(mask: np.ndarray) -> np.ndarray:
    """The largest connected part of a mask."""
    parts, count = ndimage.label(mask)
    if count < 2:
        return mask
    return parts == np.bincount(parts.ravel())[1:].argmax() + 1


def _span(mask: np.ndarray, axis: int) -> tuple[int, int]:
    """First and one-past-last index of a mask along an axis; raises ShapeError if it is empty."""
    hit = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
    if not hit.size:
        raise ShapeError("the label map has no voxel of the wanted kind")
    return int(hit[0]), int(hit[-1]) + 1


def _box(mask: np.ndarray, margin: Sequence[int] = (0, 0, 0)) -> tuple[slice, slice, slice]:
    """Bounding box of a mask with a margin in voxels, inside the array."""
    cuts = []
    for axis in range(3):
        low, high = _span(mask, axis)
        cuts.append(slice(max(0, low - margin[axis]), min(mask.shape[axis], high + margin[axis])))
    return cuts[0], cuts[1], cuts[2]


def _rng_of(name: str) -> np.random.Generator:
    """Random numbers that depend on the name alone: the same body is always completed the same way."""
    return np.random.default_rng(zlib.crc32(name.encode()))


# --- completing a body -----------------------------------------------------------------------------------------------


def _fill_hollow(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Labels in which the lumen of heart, stomach and bowel belongs to the organ."""
    out = labels.copy()
    free = _is(labels, (Tissue.AIR, BODY))
    for tissue, limit in HOLLOW_MM2.items():
        wall = labels == tissue
        if wall.any():
            box = _box(wall, [round(9 / step) for step in spacing])
            tight = _closed(wall[box], 6.0, spacing)  # walls of some sources have gaps
            lumen = _holes(tight, spacing, limit) & free[box]
            out[box][_holes(wall[box] | lumen, spacing, limit) & free[box] | lumen] = tissue
    return out


def _holes(wall: np.ndarray, spacing: Spacing, limit_mm2: float) -> np.ndarray:
    """Holes of a mask in any of the three cutting planes, up to a size that a lumen can have."""
    found = np.zeros_like(wall)
    for axis in range(3):
        pixel = np.prod([spacing[other] for other in range(3) if other != axis])
        turned = np.moveaxis(found, axis, 0)
        for index, plane in enumerate(np.moveaxis(wall, axis, 0)):
            parts, _ = ndimage.label(ndimage.binary_fill_holes(plane) & ~plane)
            small = np.bincount(parts.ravel()) * pixel <= limit_mm2
            small[0] = False
            turned[index] |= small[parts]
    return found


def _place_vessels(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Labels in which portal and hepatic veins are LIVER_VESSEL within the closed liver, ordinary veins outside."""
    out = labels.copy()
    liver = labels == Tissue.LIVER
    hull = _closed(liver | (labels == Tissue.LIVER_VESSEL), 9.0, spacing)
    out[(labels == Tissue.LIVER_VESSEL) & ~_near(liver, 3.0, spacing)] = Tissue.VEIN
    out[(labels == Tissue.PORTAL_VEIN) & hull] = Tissue.LIVER_VESSEL
    hole = ndimage.binary_fill_holes(_is(out, LIVER_TISSUES)) & _is(labels, (Tissue.AIR, BODY))
    out[hole] = Tissue.LIVER_VESSEL
    return out


def _is_complete(labels: np.ndarray) -> bool:
    """Whether the liver ends inside the field of view on all six sides."""
    liver = _is(labels, LIVER_TISSUES)
    for axis in range(3):
        area = liver.sum(axis=tuple(other for other in range(3) if other != axis))
        if max(area[0], area[-1]) > COMPLETE_EDGE_FRACTION * area.max():
            return False
    return True


def _crop_height(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Labels from 70 mm below the liver to 50 mm above it, as far as they exist."""
    low, high = _span(_is(labels, LIVER_TISSUES), 0)
    low -= round(BELOW_LIVER_MM / spacing[0])
    return labels[max(0, low) : high + round(ABOVE_LIVER_MM / spacing[0])]


def _plane_mm(labels: np.ndarray, spacing: Spacing) -> tuple[np.ndarray, np.ndarray]:
    """Column and row coordinates in mm from the array's centre, float32 [row, column]."""
    rows = (np.arange(labels.shape[1]) - labels.shape[1] / 2) * spacing[1]
    columns = (np.arange(labels.shape[2]) - labels.shape[2] / 2) * spacing[2]
    x, y = np.meshgrid(columns, rows)
    return x.astype(np.float32), y.astype(np.float32)


def _directions(count: int = 48) -> np.ndarray:
    """Angles in radians around the body: 0 patient left, pi/2 back."""
    return np.arange(count) * (2 * np.pi / count)


def _support(mask: np.ndarray, spacing: Spacing) -> np.ndarray:
    """How far each slice of the mask reaches in each direction, mm, float32 [slice, direction], smoothed."""
    x, y = _plane_mm(mask, spacing)
    planes = [x * np.cos(angle) + y * np.sin(angle) for angle in _directions()]
    reach = np.stack([np.where(mask, plane, -np.inf).max(axis=(1, 2)) for plane in planes], axis=1)
    filled = np.flatnonzero(np.isfinite(reach).all(axis=1))
    for column in reach.T:
        column[:] = np.interp(np.arange(len(column)), filled, column[filled])
    reach = np.maximum(reach, _rounded(reach))
    smooth = ndimage.maximum_filter1d(reach, max(1, round(15 / spacing[0])), axis=0)
    smooth = ndimage.gaussian_filter1d(smooth, 10 / spacing[0], axis=0)
    return np.maximum(reach, smooth).astype(np.float32)


def _rounded(reach: np.ndarray, orders: int = 3) -> np.ndarray:
    """Reach around the body without its fine detail: under the larger of both, flat sides between few points bulge."""
    waves = np.fft.rfft(reach, axis=1)
    waves[:, orders + 1 :] = 0
    return np.fft.irfft(waves, reach.shape[1], axis=1)


def _depth(reach: np.ndarray, like: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Depth below the convex surface that `_support` describes, mm, float32; negative outside."""
    x, y = _plane_mm(like, spacing)
    depth = np.full(like.shape, np.inf, np.float32)
    for index, angle in enumerate(_directions()):
        plane = (x * np.cos(angle) + y * np.sin(angle)).astype(np.float32)
        np.minimum(depth, reach[:, index, None, None] - plane, out=depth)
    return depth


def _layer(rng: np.random.Generator, slices: int, low: float, high: float) -> np.ndarray:
    """Layer thickness in mm that varies smoothly around and along the body, [slice, direction]."""
    angle, phase = _directions()[None, :], rng.uniform(0, 2 * np.pi, 3)
    along = np.linspace(0, np.pi, slices)[:, None]
    wave = 0.25 * np.cos(angle + phase[0]) + 0.15 * np.cos(2 * angle + phase[1]) + 0.1 * np.cos(along + phase[2])
    return np.clip(rng.uniform(low, high) * (1 + wave), 0.6 * low, None)


def _wrap(labels: np.ndarray, spacing: Spacing, rng: np.random.Generator) -> np.ndarray:
    """Labels without outline, wrapped in a muscle layer and subcutaneous fat; the inside without name is BODY."""
    pad = [round(60 / step) for step in spacing[1:]]
    out = np.pad(labels, [(0, 0), (pad[0],) * 2, (pad[1],) * 2])
    core = (out != Tissue.AIR) & (out != Tissue.ARM)
    reach = _support(core, spacing)
    muscle = _layer(rng, len(out), 5.0, 11.0)
    fat = _layer(rng, len(out), 7.0, 26.0)
    free = out == Tissue.AIR
    out[free & (_depth(reach + muscle + fat, out, spacing) > 0)] = Tissue.SKIN_FAT
    out[free & (_depth(reach + muscle, out, spacing) > 0)] = Tissue.MUSCLE
    out[free & (_depth(reach, out, spacing) > 5.0)] = BODY
    return out


def _line(labels: np.ndarray, spacing: Spacing, rng: np.random.Generator) -> np.ndarray:
    """Labels with a known outline whose rim without name became subcutaneous fat and muscle."""
    out = _part_arms(labels, spacing)
    # outside the array is not air: a field of view that cuts the body gives no skin there
    depth = ndimage.distance_transform_edt(~_is(out, (Tissue.AIR, Tissue.ARM)), spacing)
    fat, muscle = rng.uniform(7, 22), rng.uniform(10, 16)
    free = out == BODY
    out[free & (depth <= fat + muscle)] = Tissue.MUSCLE
    out[free & (depth <= fat)] = Tissue.SKIN_FAT
    return out


def _part_arms(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Labels with a known outline in which what hangs beside the trunk is ARM."""
    out = labels.copy()
    trunk = np.ones(labels.shape[1:], bool)
    for index, plane in enumerate(labels):
        # from the waist upwards the trunk may widen only slowly: so the shoulders part as well
        may = (ndimage.binary_dilation(trunk) if index % 2 else trunk) if trunk.any() else ~trunk
        trunk = _trunk_section((plane != Tissue.AIR) & may, spacing)
        beside = ~_near(np.any(trunk, axis=0)[None], 6.0, spacing[1:])  # not a breast before the trunk
        out[index][(plane == BODY) & beside] = Tissue.ARM
    return out


def _trunk_section(inside: np.ndarray, spacing: Spacing) -> np.ndarray:
    """The largest part of a section after an opening with 25 mm; what leaves the field of view counts as trunk."""
    pad = [round(30 / step) for step in spacing[1:]]
    wide = np.pad(inside, [(p, p) for p in pad], mode="edge")
    core = _largest(ndimage.distance_transform_edt(wide, spacing[1:]) > 25.0)
    return _near(core, 25.0, spacing[1:])[pad[0] : -pad[0], pad[1] : -pad[1]] & inside


def _add_spine(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Labels with a plain vertebral column and back muscles where the source has no bone near the mid-line."""
    out = labels.copy()
    free = _is(labels, (BODY, Tissue.MUSCLE))
    x, y = _plane_mm(labels, spacing)
    for index, plane in enumerate(labels):
        if (plane == Tissue.BONE).any() or not (plane != Tissue.AIR).any():
            continue
        inside = ndimage.binary_opening(_is(plane, (Tissue.AIR, Tissue.ARM, Tissue.SKIN_FAT)) == 0, iterations=3)
        if not inside.any():
            continue
        centre, back = x[inside].mean(), y[inside & (np.abs(x - x[inside].mean()) < 30)].max(initial=0)
        _draw_vertebra(out[index], free[index], x - centre, y - back)
    return out


def _draw_vertebra(plane: np.ndarray, free: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Draws one section of spine into `plane`; x mm from the mid-line, y mm from the inner border of the back's fat."""
    muscle = ((np.abs(x) - 30) / 28) ** 2 + ((y + 22) / 20) ** 2 < 1
    body = (x / 22) ** 2 + ((y + 58) / 17) ** 2 < 1
    arch = (x / 16) ** 2 + ((y + 36) / 12) ** 2 < 1
    spinous = (np.abs(x) < 4) & (y > -36) & (y < -4)
    plane[free & muscle] = Tissue.MUSCLE
    plane[free & (body | arch | spinous)] = Tissue.BONE
    plane[free & ((x / 9) ** 2 + ((y + 36) / 7) ** 2 < 1)] = Tissue.SPINAL_CANAL


def _add_ribs(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Labels with oblique bony stripes in the chest wall where the source has no ribs."""
    low, high = _span(_is(labels, LIVER_TISSUES), 0)
    x, y = _plane_mm(labels, spacing)
    if ((labels[low:high] == Tissue.BONE) & (np.abs(x) > 70)).any():
        return labels
    forward = np.abs(np.arctan2(x, y)) / np.pi  # 0 at the back, 1 in front
    height = np.arange(len(labels))[:, None, None] * spacing[0]
    stripe = np.mod(height + 70 * forward, 26.0) < 10
    chest = height > (low + 0.25 * (high - low)) * spacing[0] + 60 * np.clip(forward - 0.6, 0, None)
    wall = labels == Tissue.MUSCLE
    core = wall & (ndimage.distance_transform_edt(labels != Tissue.SKIN_FAT, spacing) > 3.0)
    rib = core & stripe & chest & (forward > 0.12) & (forward < 0.93)
    rib &= ~_near(labels == Tissue.SPINAL_CANAL, 45.0, spacing)
    return np.where(rib, Tissue.BONE, labels).astype(np.uint8)


def _add_lungs(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Labels in which the space without name above the abdominal organs is lung, if the source has no lung."""
    liver = _is(labels, LIVER_TISSUES)
    if (labels == Tissue.LUNG).any() or liver[-1].any():
        return labels
    organs = ~_is(labels, (*WALL, BODY, Tissue.HEART, Tissue.ARTERY, Tissue.VEIN, Tissue.OESOPHAGUS))
    roof = np.maximum.accumulate(organs[::-1], axis=0)[::-1]  # an organ lies in the same column at this height or above
    floor = np.maximum.accumulate(_is(labels, (*LIVER_TISSUES, Tissue.SPLEEN, Tissue.STOMACH)), axis=0)
    space = ndimage.binary_dilation(floor, np.ones((1, 5, 5), bool)) & ~roof
    space[_span(liver, 0)[1] - round(20 / spacing[0]) :] = True
    out = np.where(space & (labels == BODY), Tissue.LUNG, labels).astype(np.uint8)
    return _add_heart(out, spacing) if not (labels == Tissue.HEART).any() else out


def _add_heart(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Labels with an egg of heart in the lungs above the liver, in front and left of the mid-line."""
    top = _span(_is(labels, LIVER_TISSUES), 0)[1]
    trunk = _box(~_is(labels, (Tissue.AIR, Tissue.ARM)))
    x, y = _plane_mm(labels, spacing)
    middle = x[0, (trunk[2].start + trunk[2].stop) // 2] + 15
    row = y[trunk[1].start + (trunk[1].stop - trunk[1].start) * 2 // 5, 0]
    z = (np.arange(len(labels)) - top)[:, None, None] * spacing[0] - 15
    egg = ((x - middle) / 52) ** 2 + ((y - row) / 40) ** 2 + (z / 40) ** 2 < 1
    return np.where(egg & (labels == Tissue.LUNG), Tissue.HEART, labels).astype(np.uint8)


def _name_the_rest(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Labels without BODY: muscle between and around the ribs, inner fat elsewhere."""
    out = labels.copy()
    rest = labels == BODY
    out[rest] = Tissue.INNER_FAT
    out[rest & _near(labels == Tissue.BONE, 7.0, spacing)] = Tissue.MUSCLE
    return out


def complete(labels: np.ndarray, spacing: Spacing, name: str) -> np.ndarray:
    """A whole body from a working label map: every voxel inside has a tissue, fat lies around (uint8).

    The missing layers are drawn from random numbers seeded by the name.
    """
    rng = _rng_of(name)
    outlined = _is(labels, (BODY, Tissue.SKIN_FAT)).any()
    out = _line(labels, spacing, rng) if outlined else _wrap(labels, spacing, rng)
    out = _add_spine(out, spacing)
    out = _add_ribs(out, spacing)
    out = _add_lungs(out, spacing)
    return _name_the_rest(out, spacing)


def _check_sides(labels: np.ndarray, name: str) -> None:
    """Raises ShapeError if the liver does not lie to the patient's right of the spleen."""
    liver, spleen = _is(labels, LIVER_TISSUES), labels == Tissue.SPLEEN
    if spleen.any() and np.nonzero(liver)[2].mean() >= np.nonzero(spleen)[2].mean():
        raise ShapeError(f"{name}: the liver lies left of the spleen; the affine of this file is wrong")


def shape_from_tissues(name: str, tissues: np.ndarray, spacing: Spacing, new_spacing: Spacing) -> Shape:
    """The finished Shape of a working tissue map [slice, row, column]; raises ShapeError without liver."""
    if not (tissues == Tissue.LIVER).any():
        raise ShapeError(f"{name} has no liver")
    _check_sides(tissues, name)
    whole = _is_complete(tissues)
    labels = resample_labels(_crop_height(tissues, spacing), spacing, new_spacing)
    labels = _place_vessels(_fill_hollow(labels, new_spacing), new_spacing)
    labels = complete(labels, new_spacing, name)
    margin = [0] + [round(10 / step) for step in new_spacing[1:]]
    return Shape(name, labels[_box(labels != Tissue.AIR, margin)].copy(), new_spacing, whole)


def load_shapes(folder: Path, spacing_mm: Spacing = (3.0, 2.5, 2.5)) -> list[Shape]:
    """All bodies below a folder as finished Shapes.

    A file counts as a label map if a `labels.json` beside or above it, a label table in its header or its file name
    tells its numbers. Raises ShapeError for unknown label names, unreadable files and maps without liver.
    """
    shapes = []
    for path in _label_files(folder):
        found = _tissues_of(path, folder)
        if found is not None:
            shapes.append(shape_from_tissues(path.name.split(".")[0], *found, spacing_mm))
    return shapes


# --- livers of other patients ----------------------------------------------------------------------------------------


def _scores(table: Path) -> dict[str, tuple[str, int]]:
    """Per liver mask file: patient and lowest score; a mask that was corrected counts under its corrected file."""
    scores: dict[str, tuple[str, int]] = {}
    with table.open(newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            file, score = Path(row["AISegmentation"]).name, int(row["LikertScore"])
            patient, old = scores.get(file, (row["PatientID"], 5))
            scores[file] = (patient, min(score, old))
            if row["CorrectedSegmentation"]:
                scores[Path(row["CorrectedSegmentation"]).name] = (row["PatientID"], 6)
    return scores


def _liver_candidates(folder: Path) -> Iterator[tuple[str, int, Path]]:
    """Patient, score (6: corrected by a reader) and path of every mask good enough."""
    for table in sorted(folder.rglob("qa-results.csv")):
        scores = _scores(table)
        for path in sorted(table.parent.rglob("*.nii*")):
            patient, score = scores.get(path.name, ("", 0))
            if score >= LIKERT_MIN:
                yield patient, score, path


def _read_liver(path: Path, spacing: Spacing) -> Shape | None:
    """Liver of a mask file as Shape with LIVER and AIR; None if cut by the field of view or of an odd volume."""
    voxels, old = _oriented(_load_image(path))
    mask = _largest(voxels > 0.5)
    volume = mask.sum() * np.prod(old) / 1000
    if not LIVER_ML[0] < volume < LIVER_ML[1] or not _is_complete(mask * np.uint8(Tissue.LIVER)):
        return None
    margin = [int(np.ceil(10 / step)) for step in old]
    box = [(max(m, 0), max(m, 0)) for m in margin]
    mask = np.pad(mask[_box(mask)], box)
    mask = _largest(ndimage.binary_fill_holes(_resample_mask(mask, old, spacing)))
    labels = np.where(mask, Tissue.LIVER, Tissue.AIR).astype(np.uint8)
    return Shape(path.name.split(".")[0], labels[_box(mask, (2, 2, 2))].copy(), spacing)


def load_livers(folder: Path, spacing_mm: Spacing = (3.0, 2.5, 2.5), per_patient: int = 2) -> list[Shape]:
    """Livers of the mask sets below a folder (each with its `qa-results.csv`), at most `per_patient` of one patient.

    Corrected masks first, then by score, then those with the thinnest voxels. Raises ShapeError for unreadable files.
    """
    by_patient: dict[str, list[tuple[int, float, Path]]] = {}
    for patient, score, path in _liver_candidates(folder):
        thickness = float(max(nibabel.affines.voxel_sizes(_load_image(path).affine)))
        by_patient.setdefault(patient, []).append((-score, thickness, path))
    livers: list[Shape] = []
    for ranked in by_patient.values():
        found: list[Shape] = []
        for _, _, path in sorted(ranked):
            liver = _read_liver(path, spacing_mm) if len(found) < per_patient else None
            found += [liver] if liver is not None else []
        livers += found
    return livers


# --- transplants -----------------------------------------------------------------------------------------------------


def _scaled_liver(body: Shape, liver: Shape, rng: np.random.Generator) -> np.ndarray:
    """The donor's liver labels (LIVER_TISSUES, else AIR), scaled half-way towards the recipient's liver size."""
    donor = np.where(_is(liver.labels, LIVER_TISSUES), liver.labels, Tissue.AIR)
    donor = donor[_box(donor != Tissue.AIR)]
    new = _box(_is(body.labels, LIVER_TISSUES))
    extent = np.array([(cut.stop - cut.start) * step for cut, step in zip(new, body.spacing_mm, strict=True)])
    ratio = extent / (np.array(donor.shape) * liver.spacing_mm)
    scale = np.clip(np.sqrt(ratio), 0.8, 1.2) * rng.uniform(0.94, 1.06, 3)
    donor = np.pad(donor.astype(np.uint8), 2)
    return resample_labels(donor, tuple(np.array(liver.spacing_mm) * scale), body.spacing_mm)


def _place(body: Shape, donor: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Donor labels at the best place in an empty volume of the body's shape, and the part of them that finds room.

    Starts with right border, back border and top where the old liver has them, then looks around for the place with
    the least wall and old liver left over.
    """
    old = _is(body.labels, LIVER_TISSUES)
    new = donor != Tissue.AIR
    box, own = _box(old), _box(new)
    new, donor = new[own], donor[own]
    start = (box[0].stop - new.shape[0], box[1].stop - new.shape[1], box[2].start)
    cost = np.full(body.labels.shape, 0.15, np.float32)  # spreading into other organs costs a little
    cost[old] = -0.35
    cost[body.labels == Tissue.HEART] = 0.6
    cost[_is(body.labels, KEEP_OUT)] = 1.0
    best = min(_trials(start, rng), key=lambda at: _cost_at(cost, new, at))
    placed = _paste_at(np.zeros(body.labels.shape, np.uint8), donor, best)
    room = (placed != Tissue.AIR) & ~_is(body.labels, KEEP_OUT)
    return np.where(room, placed, Tissue.AIR).astype(np.uint8), room.sum() / new.sum()


def _trials(start: Sequence[int], rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Places to try around a start index: up to 18 mm or so each way, a random half of them."""
    steps = np.stack(np.meshgrid(*[np.arange(-6, 7, 2)] * 3, indexing="ij"), -1).reshape(-1, 3)
    chosen = steps[rng.random(len(steps)) < 0.5]
    return [tuple(int(value) for value in np.add(start, step)) for step in chosen]


def _overlap(shape: Sequence[int], part: Sequence[int], at: Sequence[int]) -> tuple[tuple, tuple]:
    """Slices of a volume and of a part laid at an index, where the two overlap."""
    into = tuple(slice(max(0, a), min(n, a + p)) for n, p, a in zip(shape, part, at, strict=True))
    return into, tuple(slice(cut.start - a, max(cut.stop, cut.start) - a) for cut, a in zip(into, at, strict=True))


def _cost_at(cost: np.ndarray, new: np.ndarray, at: Sequence[int]) -> float:
    """Cost of a mask laid at an index; what falls outside the volume costs like wall."""
    into, part = _overlap(cost.shape, new.shape, at)
    every = (slice(None, None, 2),) * 3  # an eighth of the voxels tells the places apart just as well
    inside = new[part]
    return float(8 * cost[into][every][inside[every]].sum() + (new.sum() - inside.sum()))


def _paste_at(volume: np.ndarray, donor: np.ndarray, at: Sequence[int]) -> np.ndarray:
    """The volume with the donor labels laid at an index."""
    into, part = _overlap(volume.shape, donor.shape, at)
    volume[into] = donor[part]
    return volume


def _touch_wall(labels: np.ndarray, placed: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Placed liver with the thin gaps to the wall closed where the old liver touched it too."""
    old = _is(labels, LIVER_TISSUES) & (placed == Tissue.AIR)
    wall = _near(_is(labels, (Tissue.MUSCLE, Tissue.BONE)), 8.0, spacing)
    gap = old & wall & _near(placed != Tissue.AIR, 8.0, spacing)
    return np.where(gap, Tissue.LIVER, placed).astype(np.uint8)


def _without_liver(labels: np.ndarray, spacing: Spacing, drop: np.ndarray) -> np.ndarray:
    """Labels in which the voxels to drop take the nearest of the organs that give way (fat, lung, stomach, bowel)."""
    filler = _is(labels, FILLERS) & ~drop
    if not filler.any():
        return np.where(drop, Tissue.INNER_FAT, labels).astype(np.uint8)
    nearest = ndimage.distance_transform_edt(~filler, spacing, return_distances=False, return_indices=True)
    out = labels.copy()
    out[drop] = labels[tuple(index[drop] for index in nearest)]
    return out


def _lost_gallbladder(labels: np.ndarray, placed: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Mask of a gallbladder that the new liver covers by half or does not touch; empty if it may stay."""
    gallbladder = labels == Tissue.GALLBLADDER
    left = gallbladder & (placed == Tissue.AIR)
    stays = left.sum() > 0.5 * gallbladder.sum() and (left & _near(placed != Tissue.AIR, 5.0, spacing)).any()
    return gallbladder & (not stays)


def transplant(body: Shape, liver: Shape, rng: np.random.Generator) -> Shape:
    """The body with another patient's liver in place of its own.

    The donor's liver is scaled moderately, laid against the right wall below the diaphragm and clipped at wall, bone,
    kidneys and great vessels; what it leaves uncovered of the old one is filled by the neighbours, at times by ascites.
    Raises ShapeError if less than three quarters of it find room.
    """
    placed, kept = _place(body, _scaled_liver(body, liver, rng), rng)
    if kept < MIN_KEPT:
        raise ShapeError(f"{liver.name} does not fit into {body.name}: only {kept:.0%} of it find room")
    labels = body.labels.copy()
    margin = [round(45 / step) for step in body.spacing_mm]
    box = _box(_is(labels, LIVER_TISSUES) | (placed != Tissue.AIR), margin)
    labels[box] = _exchange(labels[box], placed[box], body.spacing_mm, ascites=rng.random() < 0.12)
    return replace(body, name=f"{body.name}+{liver.name}", labels=labels, complete_liver=True)


def _exchange(labels: np.ndarray, placed: np.ndarray, spacing: Spacing, ascites: bool) -> np.ndarray:
    """Labels with the placed liver instead of the old one, whose remains go to the neighbours or to ascites."""
    placed = _touch_wall(labels, placed, spacing)
    drop = _is(labels, LIVER_TISSUES) | _lost_gallbladder(labels, placed, spacing)
    out = _without_liver(labels, spacing, drop)
    if ascites:
        out[drop & (out != Tissue.LUNG)] = Tissue.ASCITES
    roofed = np.maximum.accumulate(placed[::-1] != Tissue.AIR, axis=0)[::-1]
    out[drop & roofed & (out == Tissue.LUNG)] = Tissue.INNER_FAT  # no lung below the liver
    return np.where(placed != Tissue.AIR, placed, out).astype(np.uint8)


# --- the bank --------------------------------------------------------------------------------------------------------


def _pairs(bodies: Sequence[Shape], donors: Sequence[Shape], rng: np.random.Generator) -> Iterator[tuple[Shape, Shape]]:
    """Endless body-donor pairs in random order, every pair once before any comes again."""
    pairs = [(body, donor) for body in bodies for donor in donors if body.name != donor.name]
    while pairs:
        for index in rng.permutation(len(pairs)):
            yield pairs[index]


def build_bank(folder: Path, rng: np.random.Generator, transplants: int) -> list[Shape]:
    """All bodies below a folder and a number of transplants among them and the liver mask sets there.

    Pairs that do not fit are passed over; raises ShapeError if so many fail that the number cannot be reached.
    """
    bodies = load_shapes(folder)
    whole = [body for body in bodies if body.complete_liver]
    made: list[Shape] = []
    failed = 0
    for body, donor in _pairs(whole, load_livers(folder) + whole, rng):
        if len(made) >= transplants:
            break
        try:
            made.append(transplant(body, donor, rng))
        except ShapeError:
            failed += 1
            if failed > 20 + 3 * transplants:
                raise
    return bodies + made


def save_bank(path: Path, shapes: Sequence[Shape]) -> None:
    """Writes shapes to a compressed npz file (plain arrays, no pickle)."""
    arrays: dict[str, Any] = {f"labels_{index:04d}": shape.labels for index, shape in enumerate(shapes)}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        names=np.array([shape.name for shape in shapes], dtype=np.str_),
        spacing_mm=np.array([shape.spacing_mm for shape in shapes], np.float64).reshape(-1, 3),
        complete_liver=np.array([shape.complete_liver for shape in shapes], bool),
        **arrays,
    )


def load_bank(path: Path) -> list[Shape]:
    """Shapes of a file that `save_bank` wrote; raises ShapeError if it is none."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            rows = zip(stored["names"], stored["spacing_mm"], stored["complete_liver"], strict=True)
            return [
                Shape(str(name), stored[f"labels_{index:04d}"], _three(steps), bool(whole))
                for index, (name, steps, whole) in enumerate(rows)
            ]
    except (KeyError, ValueError, OSError) as error:
        raise ShapeError(f"{path.name} is no shape bank: {error}") from error
