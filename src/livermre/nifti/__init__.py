"""Exams, images and masks as NIfTI: any orientation in, RAS+ foot to head out.

What is written is one array (column, row, slice) for axial slices, turned to RAS+ (nibabel's closest canonical order)
for others; the header says which axis counts slices. Irregular slice positions give one file a slice (NAME_z001 …).
"""

from livermre.nifti.masks import read_image, read_mask
from livermre.nifti.sets import is_set, read, write_exam, write_maps
from livermre.nifti.volumes import files_of, hash_of
from livermre.nifti.write import write_like, write_volume

__all__ = [
    "files_of",
    "hash_of",
    "is_set",
    "read",
    "read_image",
    "read_mask",
    "write_exam",
    "write_like",
    "write_maps",
    "write_volume",
]
