"""report.pdf: the page on one sheet of A4, the same content condensed."""

from livermre.exam.types import Finding, Identity
from livermre.report import pdf_foot as foot
from livermre.report import pdf_head as head
from livermre.report.overlay import Tiles
from livermre.report.pdf_pictures import pictures_block, plan_pictures
from livermre.report.pictures import Pictures, pictures
from livermre.report.sheet import Sheet
from livermre.report.tiles import tiles


def render_pdf(
    finding: Finding, identity: Identity | None, drawn: Pictures | None = None, painted: Tiles | None = None
) -> bytes:
    """The sheet as PDF; pass what `pictures` and `tiles` gave to spare drawing them twice.

    The head grows downwards, the foot upwards; the pictures take what is left between.
    """
    drawn = drawn or pictures(finding)
    sheet = Sheet("Liver MR elastography")
    head.header(sheet, identity, finding)
    top = head.hero(sheet, finding)
    if finding.reportable and finding.change:
        top = head.change(sheet, finding.change, top)
    if finding.reportable and finding.stage:
        top = head.stage(sheet, finding.stage, finding.stiffness, top)
    bottom = foot.provenance(sheet, finding)
    bottom = foot.left_out(sheet, finding, drawn, bottom)
    plan = plan_pictures(sheet, finding, drawn, top, bottom)
    foot.slice_table(sheet, finding, bottom, plan.table)
    pictures_block(sheet, finding, drawn, painted or tiles(drawn), top, plan)
    return sheet.finish()
