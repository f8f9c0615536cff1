"""The border to DICOM: folders and files in, exams out."""

from livermre.dicom.image import read_image
from livermre.dicom.inspect import SeriesReport, inspect
from livermre.dicom.read import Reading, read, read_folder
from livermre.exam.study import ReadOptions, Study

__all__ = [
    "ReadOptions",
    "Reading",
    "SeriesReport",
    "Study",
    "inspect",
    "read",
    "read_folder",
    "read_image",
]
