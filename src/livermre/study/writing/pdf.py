"""The document as PDF on A4: the same sections, tables and figures, vectors as vectors."""

from datetime import UTC, datetime
from io import BytesIO

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace

from livermre.report.colours import rgb
from livermre.study.figures.drawing import Box, Dot, Drawing, Picture, Shape, Stroke, Text
from livermre.study.tables import Table
from livermre.study.writing.document import Bullets, Document, Notice

_MARGIN, _INNER = 16.0, 178.0
_PT = 25.4 / 72
_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)  # PDF wants a date; a document without a clock has none
_WORDS = str.maketrans({"−": "-", "≥": ">=", "≤": "<=", "κ": "kappa", "≈": "~", "\N{NO-BREAK SPACE}": " "})
_INK, _SOFT = (20, 24, 29), (92, 101, 112)
_MANY = 7  # columns from which on a table is set small
_GAP = 2.2  # between columns, mm
_SMALLEST = 4.6  # letters, points: below, a long word breaks instead


def render_pdf(document: Document) -> bytes:
    """The document; the same document gives the same bytes."""
    paper = _Paper(document)
    for number, part in enumerate(document.sections, start=1):
        paper.heading(number, part.title, part.blocks[0] if part.blocks else None)
        for block in part.blocks:
            paper.block(block)
    return bytes(paper.output())


class _Paper(FPDF):
    """A4 with margins and a running foot."""

    def __init__(self, document: Document) -> None:
        super().__init__(orientation="portrait", unit="mm", format="A4")
        self.core_fonts_encoding = "cp1252"
        self.set_creation_date(_NO_DATE)
        self.set_title(document.title)
        self.set_lang("en")
        self.set_margins(_MARGIN, _MARGIN, _MARGIN)
        self.set_auto_page_break(True, 18)
        self._tables = {id(t): i for i, t in enumerate(document.tables, start=1)}
        self._figures = {id(d): i for i, d in enumerate(document.figures, start=1)}
        self.add_page()
        self._line(document.title, 18, bold=True, gap=1)
        self._line(f"{document.subtitle}. For research use only.", 10, colour=_SOFT, gap=4)

    def footer(self) -> None:
        """Page number."""
        self.set_y(-12)
        self._font(8, False, _SOFT)
        self.cell(0, 5, f"{self.page_no()}", align="C")

    def heading(self, number: int, title: str, first: object) -> None:
        """A section's heading, also a bookmark; never at a page's foot without the first block below it."""
        below = first.height * _scale(first) + 24 if isinstance(first, Drawing) else 40
        if self.get_y() + below > self.h - 18:
            self.add_page()
        self.ln(4)
        self._font(13, True, _INK)  # before the bookmark: it needs a page with a font
        self.start_section(_plain(f"{number} {title}"), level=0)
        self._line(f"{number}  {title}", 13, bold=True, gap=2)

    def block(self, block: object) -> None:
        """One block of the document."""
        if isinstance(block, str):
            self._line(block, 9, gap=2)
        elif isinstance(block, Notice):
            self.set_fill_color(253, 246, 234)
            self._font(9.5, True, _INK)
            self.multi_cell(_INNER, 5, _plain(block.text), fill=True, padding=2, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            self.ln(2)
        elif isinstance(block, Bullets):
            for item in block.items:
                self._line(f"–  {item}", 9, gap=0.6)
            self.ln(1.5)
        elif isinstance(block, Table):
            self._table(block)
        elif isinstance(block, Drawing):
            self._figure(block)

    def _line(
        self, text: str, size: float, *, bold: bool = False, colour: tuple[int, int, int] = _INK, gap: float = 1.0
    ) -> None:
        self._font(size, bold, colour)
        self.multi_cell(_INNER, size * _PT * 1.35, _plain(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(gap)

    def _font(self, size: float, bold: bool, colour: tuple[int, int, int]) -> None:
        self.set_font("Helvetica", "B" if bold else "", size)
        self.set_text_color(*colour)

    def _table(self, table: Table) -> None:
        if self.get_y() > 235:
            self.add_page()
        self._line(f"Table {self._tables[id(table)]}. {table.title}", 9, bold=True, gap=0.5)
        self.set_fill_color(255, 255, 255)
        self.set_draw_color(*_SOFT)
        self.set_line_width(0.1)
        texts = [[_plain(c) for c in row] for row in [list(table.columns), *table.texts()]]
        size = self._fitting(texts)
        widths = self._widths(texts, size)
        self._font(size, False, _INK)
        bold = FontFace(emphasis="BOLD")
        with self.table(
            col_widths=widths, width=_INNER, line_height=size * _PT * 1.3, borders_layout="HORIZONTAL_LINES",
            headings_style=bold, text_align="LEFT", padding=(0.5, 1, 0.5, 0),
        ) as made:  # fmt: skip
            for row in texts:
                line = made.row()
                for cell in row:
                    line.cell(cell)
        if table.note:
            self.ln(0.8)
            self._line(table.note, 7, colour=_SOFT, gap=3)
        else:
            self.ln(3)

    def _fitting(self, texts: list[list[str]]) -> float:
        """Size of letters, points: smaller where the longest words of all columns would not fit beside each other."""
        size = 6.2 if len(texts[0]) > _MANY else 7.4
        self.set_font("Helvetica", "B", size)  # the head's letters are the widest
        words = [max(self.get_string_width(w) for c in column for w in (c.split() or [""])) for column in zip(*texts)]
        room = _INNER - _GAP * len(words)
        return max(_SMALLEST, size * min(1.0, room / max(sum(words), 1.0)))

    def _widths(self, texts: list[list[str]], size: float) -> tuple[float, ...]:
        """Shares of the width: wide columns get more, none so little that its longest word breaks."""
        wide = []
        self.set_font("Helvetica", "B", size)
        for column in zip(*texts, strict=True):
            whole = max(self.get_string_width(c) for c in column)
            word = max(self.get_string_width(w) for c in column for w in (c.split() or [""]))
            wide.append((word + _GAP, max(word + _GAP, min(whole + _GAP, 34.0))))
        spare = max(_INNER - sum(least for least, _ in wide), 0.0)
        wish = sum(most - least for least, most in wide) or 1.0
        return tuple(least + (most - least) * min(1.0, spare / wish) for least, most in wide)

    def _figure(self, drawing: Drawing) -> None:
        scale = _scale(drawing)
        if self.get_y() + drawing.height * scale + 8 > self.h - 18:
            self.add_page()
        x, y = _MARGIN, self.get_y()
        for shape in drawing.shapes:
            self._shape(shape, x, y, scale)
        self.set_xy(_MARGIN, y + drawing.height * scale + 1)
        self._line(f"Figure {self._figures[id(drawing)]}. {drawing.title}", 9, bold=True, gap=3)

    def _shape(self, shape: Shape, x: float, y: float, scale: float) -> None:
        if isinstance(shape, Stroke):
            self._stroke(shape, [(x + px * scale, y + py * scale) for px, py in shape.points], scale)
        elif isinstance(shape, Box):
            style = self._paint(shape.colour, shape.fill, shape.line * scale)
            if style:
                self.rect(x + shape.x * scale, y + shape.y * scale, shape.width * scale, shape.height * scale, style)
        elif isinstance(shape, Dot):
            style = self._paint(shape.colour, shape.fill, 0.75 * scale)
            if style:
                with self.local_context(fill_opacity=shape.opacity, stroke_opacity=shape.opacity):
                    self.circle(x=x + shape.x * scale, y=y + shape.y * scale, radius=shape.radius * scale, style=style)
        elif isinstance(shape, Picture):
            place = {"x": x + shape.x * scale, "y": y + shape.y * scale}
            self.image(BytesIO(shape.png), **place, w=shape.width * scale, h=shape.height * scale)
        else:
            self._text(shape, x, y, scale)

    def _stroke(self, shape: Stroke, points: list[tuple[float, float]], scale: float) -> None:
        style = self._paint(shape.colour, shape.fill, shape.width * scale)
        if not style:
            return
        with self.local_context(fill_opacity=shape.opacity, stroke_opacity=shape.opacity):
            if shape.dash:
                self.set_dash_pattern(dash=shape.dash[0] * scale, gap=shape.dash[-1] * scale)
            self.polyline(points, polygon=shape.closed, style=style)

    def _text(self, shape: Text, x: float, y: float, scale: float) -> None:
        self._font(shape.size * scale / _PT, shape.bold, rgb(shape.colour))
        text = _plain(shape.text)
        back = {"start": 0.0, "middle": 0.5, "end": 1.0}[shape.anchor] * self.get_string_width(text)
        px, py = x + shape.x * scale, y + shape.y * scale
        if shape.turned:
            with self.rotation(90, px, py):
                self.text(px - back, py, text)
        else:
            self.text(px - back, py, text)

    def _paint(self, colour: str | None, fill: str | None, width: float) -> str:
        """Set line and fill; gives fpdf's letter for what is to be painted."""
        if colour:
            self.set_draw_color(*rgb(colour))
            self.set_line_width(width)
        if fill:
            self.set_fill_color(*rgb(fill))
        return ("D" if colour else "") + ("F" if fill else "")


def _scale(drawing: Drawing) -> float:
    """Mm a point: full size, or less where the page is too small."""
    return min(_PT, _INNER / drawing.width, 225 / drawing.height)


def _plain(text: str) -> str:
    """The text in signs that PDF's own typefaces have; others are escaped, never dropped."""
    return text.translate(_WORDS).encode("cp1252", errors="backslashreplace").decode("cp1252")
