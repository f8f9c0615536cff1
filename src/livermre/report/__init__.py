"""Pages of a finding: report.html, report.pdf, overlay.png and finding.json. No DICOM, no clock, no network."""

from livermre.report.files import prepare, write
from livermre.report.finding_json import finding_json
from livermre.report.html import render_html
from livermre.report.inversion_picture import inversion_picture
from livermre.report.overlay import render_overlay
from livermre.report.pdf import render_pdf

__all__ = ["finding_json", "inversion_picture", "prepare", "render_html", "render_overlay", "render_pdf", "write"]
