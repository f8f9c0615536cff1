"""DICOM without what tells who the patient is: the Basic Confidentiality Profile of PS3.15, by an allow-list."""

from livermre.dicom.deidentify.clean import NO_SECRET, Secret, cleaned, patient_of
from livermre.dicom.deidentify.folder import Deidentified, deidentify

__all__ = ["NO_SECRET", "Deidentified", "Secret", "cleaned", "deidentify", "patient_of"]
