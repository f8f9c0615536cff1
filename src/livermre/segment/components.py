"""From liver probability to one liver: a threshold, one body of tissue, no pin-holes, no specks."""

import numpy as np

THRESHOLD = 0.5
_KEEP_SHARE = 0.1
"""A second piece with a tenth of the main one is kept: a left lobe cut off by the slice gap, not a bowel loop."""
_HOLE_MM2 = 150.0
"""Holes up to this area are vessels or lesions inside the liver, which belong to its outline; islands up to this area
beside a larger piece of the same slice are no lobe."""


def one_liver(probability: np.ndarray, pixel_area_mm2: float) -> np.ndarray:
    """The liver (S, R, C) bool from its probability (S, R, C): largest body and its large neighbours, without holes and
    specks.
    """
    from scipy import ndimage  # a third of a second to import, in which the network can compile

    liver = probability >= THRESHOLD
    place = _window(liver)
    if place is None:
        return liver
    labels, count = ndimage.label(liver[place], structure=ndimage.generate_binary_structure(3, 2))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    keep = sizes >= _KEEP_SHARE * sizes.max()
    keep[0] = False
    for slice_, kept in zip(liver[place], keep[labels], strict=True):
        slice_[:] = _filled(_without_specks(kept, pixel_area_mm2), pixel_area_mm2)
    return liver


def _window(liver: np.ndarray) -> tuple[slice, slice, slice] | None:
    """All slices, and the rows and columns that hold the liver with one pixel around it; None where there is none.

    That pixel joins all that lies around the liver, so what is a hole in the window is one in the image.
    """
    rows, columns = (np.flatnonzero(liver.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    if rows.size == 0:
        return None
    return (
        slice(None),
        slice(max(int(rows[0]) - 1, 0), int(rows[-1]) + 2),
        slice(max(int(columns[0]) - 1, 0), int(columns[-1]) + 2),
    )


def _without_specks(mask: np.ndarray, pixel_area_mm2: float) -> np.ndarray:
    """One slice (R, C) bool without its small islands; its largest piece stays however small."""
    from scipy import ndimage

    pieces, count = ndimage.label(mask, structure=np.ones((3, 3)))
    if count < 2:
        return mask
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return ((sizes * pixel_area_mm2 > _HOLE_MM2) | (sizes == sizes.max()))[pieces] & mask


def _filled(mask: np.ndarray, pixel_area_mm2: float) -> np.ndarray:
    """One slice (R, C) bool with its small holes filled; what touches the border of the array is no hole."""
    from scipy import ndimage

    outside, count = ndimage.label(~mask)
    small = np.bincount(outside.ravel(), minlength=count + 1) * pixel_area_mm2 <= _HOLE_MM2
    small[0] = False
    for border in (outside[0], outside[-1], outside[:, 0], outside[:, -1]):
        small[border] = False
    return mask | small[outside]
