"""A finding as coded DICOM beside its source: SEG, SR, parametric maps, PDF and a picture."""

from livermre.dicom.objects.pages import Pages
from livermre.dicom.objects.write import NAMES, write_objects

__all__ = ["NAMES", "Pages", "write_objects"]
