"""Simulated exams in the style of scanners, for tests, demonstrations and simulated cohorts."""

from livermre.dicom.write.exam import STYLES, Style, write_exam
from livermre.dicom.write.order import Protocol

__all__ = ["STYLES", "Protocol", "Style", "write_exam"]
