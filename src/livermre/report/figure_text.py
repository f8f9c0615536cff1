"""Text inside PNG figures, in the typeface that Pillow carries: no font of the machine, so equal bytes everywhere."""

from functools import lru_cache

from PIL import ImageDraw, ImageFont

_PLAIN = str.maketrans({"–": "-", "−": "-", "≥": ">=", "\N{NO-BREAK SPACE}": " "})
_BEYOND_ASCII = "±·°…‘’“”"  # what the typeface has of them
_RAISED, _RAISE = 0.62, 0.36  # the typeface has no ²: a small 2, so much smaller and so much of the size higher


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def plain(text: str) -> str:
    """The text in signs that the typeface has; others escaped, never dropped without a trace."""
    return "".join(_sign(sign) for sign in text.translate(_PLAIN))


def _runs(text: str, size: int) -> list[tuple[str, int]]:
    """The text as (part, size): a square is a smaller 2."""
    parts = text.split("²")
    runs = [(part, size) for part in parts[:1]]
    for part in parts[1:]:
        runs += [("2", max(6, round(_RAISED * size))), (part, size)]
    return [(plain(part), size) for part, size in runs if part]


def _sign(sign: str) -> str:
    if " " <= sign <= "~" or sign in _BEYOND_ASCII:
        return sign
    return " " if sign.isspace() else sign.encode("ascii", errors="backslashreplace").decode("ascii")


def text_width(text: str, size: int) -> float:
    """Width of a text in pixels."""
    return sum(float(_font(own).getlength(part)) for part, own in _runs(text, size))


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
    runs = _runs(text, size)
    x, y = at
    if len(runs) > 1:
        x -= {"l": 0.0, "m": 0.5, "r": 1.0}[anchor[0]] * text_width(text, size)
        anchor = "l" + anchor[1]
    for part, own in runs:
        up = _RAISE * size if own != size and anchor[1] == "s" else 0.0  # other anchors hang on the upper edge
        pen.text((x, y - up), part, fill=colour, font=_font(own), anchor=anchor, stroke_width=width, stroke_fill=ink)
        x += _font(own).getlength(part)


def shorten(text: str, size: int, width: float) -> str:
    """The text, cut with three dots where it is wider than `width` pixels."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "...", size) > width:
        text = text[: -max(1, len(text) // 20)]
    return text.rstrip() + "..."
