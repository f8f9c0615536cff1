"""A sheet of A4 for report.pdf: text and lines in mm by small, plain calls; same calls, same bytes."""

from datetime import UTC, datetime
from itertools import groupby
from typing import Literal

from livermre.report.colours import rgb

Align = Literal["left", "right", "middle"]

LEFT_MM, INNER_MM = 12.0, 186.0
RIGHT_MM = LEFT_MM + INNER_MM
"""Where the print lies on the 210 mm of A4."""

_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)
"""PDF wants a creation date; a page without a clock has none, so it says the first day of the epoch."""

_PLAIN = str.maketrans({"−": "-", "\N{NO-BREAK SPACE}": " "})

_SYMBOLS = dict(
    zip("ΑΒΧΔΕΦΓΗΙΚΛΜΝΟΠΘΡΣΤΥΩΞΨΖαβχδεφγηικλμνοπθρστυωξψζς", "ABCDEFGHIKLMNOPQRSTUWXYZabcdefghiklmnopqrstuwxyzV")
)
_SYMBOLS |= {"≤": "£", "≥": "³", "≈": "»", "≠": "¹"}
"""Greek letters and relations where PDF's own typeface Symbol has them (PDF 32000-1:2008, D.5): no font travels."""


class Sheet:
    """One page with origin at the upper left; positions and sizes in mm, type in points."""

    def __init__(self, title: str) -> None:
        from fpdf import FPDF  # a third of a second, which `prepare` takes while the network looks at an exam

        self._pdf = FPDF(orientation="portrait", unit="mm", format="A4")
        self._pdf.core_fonts_encoding = "cp1252"  # what PDF calls WinAnsi: dashes and dots beside Latin 1
        self._widths: dict[tuple[str, float, bool], float] = {}
        self._pdf.set_auto_page_break(False)
        self._pdf.set_margin(0)
        self._pdf.set_creation_date(_NO_DATE)
        self._pdf.set_title(title)
        self._pdf.set_lang("en")
        self._pdf.add_page()

    def text(
        self, x: float, y: float, text: str, size: float, colour: str, bold: bool = False, align: Align = "left"
    ) -> float:
        """One line with its baseline at y; returns its width in mm."""
        width = self.width(text, size, bold)
        self._pdf.set_text_color(*rgb(colour))
        x -= {"left": 0.0, "right": width, "middle": width / 2}[align]
        runs = _runs(text)
        for part, symbol in runs:
            self._typeface(symbol, size, bold)
            self._pdf.text(x, y, part)
            x += self._width_of(part, size) if len(runs) > 1 else 0.0
        return width

    def width(self, text: str, size: float, bold: bool = False) -> float:
        """Width of one line in mm, measured once: layouts ask for the same lines again and again."""
        known = self._widths.get((text, size, bold))
        if known is not None:
            return known
        width = 0.0
        for part, symbol in _runs(text):
            self._typeface(symbol, size, bold)
            width += self._width_of(part, size)
        self._widths[text, size, bold] = width
        return width

    def _width_of(self, part: str, size: float) -> float:
        """Width in mm in the typeface that is set: what get_string_width gives, without its copies of a state."""
        font = self._pdf.current_font
        return float(font.get_text_width(self._pdf.normalize_text(part), size, None)[1] / self._pdf.k)

    def _typeface(self, symbol: bool, size: float, bold: bool) -> None:
        if symbol:
            self._pdf.set_font("Symbol", "", size)
        else:
            self._pdf.set_font("Helvetica", "B" if bold else "", size)

    def fit(self, text: str, size: float, room: float, bold: bool = False) -> str:
        """The text, cut with three dots where it is wider than `room`."""
        if self.width(text, size, bold) <= room:
            return text
        while text and self.width(text + "…", size, bold) > room:
            text = text[: -max(1, len(text) // 20)]
        return text.rstrip() + "…"

    def wrap(self, text: str, size: float, room: float, most: int) -> list[str]:
        """The text in at most `most` lines no wider than `room`; the last one is cut where more would follow."""
        lines: list[str] = []
        words = [part for word in text.split() for part in self._pieces(word, size, room)]
        while words and len(lines) < most - 1:
            count = self._fitting(words, size, room)
            lines.append(self.fit(" ".join(words[:count]), size, room))
            words = words[count:]
        return [*lines, self.fit(" ".join(words), size, room)] if words else lines

    def _pieces(self, word: str, size: float, room: float) -> list[str]:
        """A word, or its pieces where it is wider than a line."""
        pieces = []
        while len(word) > 1 and self.width(word, size) > room:
            count = 1
            while self.width(word[: count + 1], size) <= room:
                count += 1
            pieces.append(word[:count])
            word = word[count:]
        return [*pieces, word]

    def _fitting(self, words: list[str], size: float, room: float) -> int:
        count = 1
        while count < len(words) and self.width(" ".join(words[: count + 1]), size) <= room:
            count += 1
        return count

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> None:
        """A straight line."""
        self._pdf.set_draw_color(*rgb(colour))
        self._pdf.set_line_width(width)
        self._pdf.line(x1, y1, x2, y2)

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """A filled rectangle."""
        self._pdf.set_fill_color(*rgb(colour))
        self._pdf.rect(x, y, width, height, style="F")

    def polygon(self, points: list[tuple[float, float]], colour: str) -> None:
        """A filled polygon."""
        self._pdf.set_fill_color(*rgb(colour))
        self._pdf.polygon(points, style="F")

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        """A filled disc."""
        self._pdf.set_fill_color(*rgb(colour))
        self._pdf.circle(x=x, y=y, radius=radius, style="F")

    def image(self, data: bytes, x: float, y: float, width: float, height: float) -> None:
        """An encoded picture."""
        self._pdf.image(data, x=x, y=y, w=width, h=height)

    def finish(self) -> bytes:
        """The document."""
        return bytes(self._pdf.output())


def _runs(text: str) -> list[tuple[str, bool]]:
    """The text as (part, whether in Symbol) in signs that PDF's own typefaces have.

    Others are escaped, never dropped without a trace.
    """
    line = " ".join(text.translate(_PLAIN).split())
    runs = ((symbol, "".join(signs)) for symbol, signs in groupby(line, _SYMBOLS.__contains__))
    return [
        ("".join(_SYMBOLS[s] for s in part), True)
        if symbol
        else (part.encode("cp1252", errors="backslashreplace").decode("cp1252"), False)
        for symbol, part in runs
    ]
