"""Text inside PNG figures, in the typeface that Pillow carries: no font of the machine, so equal bytes everywhere."""

from functools import lru_cache

from PIL import ImageDraw, ImageFont

_PLAIN = str.maketrans({"–": "-", "−": "-", "²": "2", "≥": ">=", "’": "'"})
_BEYOND_ASCII = "±·°"  # what the typeface has of them


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def plain(text: str) -> str:
    """The text in signs that the typeface has; others escaped, never dropped without a trace."""
    return "".join(_sign(sign) for sign in text.translate(_PLAIN))


def _sign(sign: str) -> str:
    if " " <= sign <= "~" or sign in _BEYOND_ASCII:
        return sign
    return " " if sign.isspace() else sign.encode("ascii", errors="backslashreplace").decode("ascii")


def text_width(text: str, size: int) -> float:
    """Width of a text in pixels."""
    return float(_font(size).getlength(plain(text)))


def draw_text(
    pen: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    size: int,
    colour: str,
    anchor: str = "la",
    bold: bool = False,
    outline: bool = False,
) -> None:
    """Draw one line; anchor as in Pillow (horizontal l m r, vertical a t m s b)."""
    width = 2 if outline else 1 if bold else 0
    ink = "#000000" if outline else colour
    pen.text(at, plain(text), fill=colour, font=_font(size), anchor=anchor, stroke_width=width, stroke_fill=ink)


def shorten(text: str, size: int, width: float) -> str:
    """The text, cut with three dots where it is wider than `width` pixels."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "...", size) > width:
        text = text[: -max(1, len(text) // 20)]
    return text.rstrip() + "..."
