"""Shape bank of the training generator: whole bodies, livers of other patients, and livers transplanted into bodies.

Every array is [slice, row, column] = (foot -> head, anterior -> posterior, patient right -> left), `Tissue` numbers.
"""

from livermre.train.shapes.bank import build_bank, load_bank, save_bank
from livermre.train.shapes.bodies import complete, load_shapes, shape_from_tissues
from livermre.train.shapes.donors import load_livers
from livermre.train.shapes.names import tissue_of
from livermre.train.shapes.resampling import resample_labels
from livermre.train.shapes.shape import BODY, WALL, Shape, ShapeError, Spacing
from livermre.train.shapes.transplants import transplant

__all__ = [
    "BODY",
    "WALL",
    "Shape",
    "ShapeError",
    "Spacing",
    "build_bank",
    "complete",
    "load_bank",
    "load_livers",
    "load_shapes",
    "resample_labels",
    "save_bank",
    "shape_from_tissues",
    "tissue_of",
    "transplant",
]
