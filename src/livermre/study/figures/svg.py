"""A drawing as SVG: self-contained, in points, text as text."""

import base64

from markupsafe import escape

from livermre.study.figures.drawing import Box, Dot, Drawing, Picture, Shape, Stroke, Text

_FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"


def to_svg(drawing: Drawing) -> str:
    """The drawing as an SVG document; the same drawing gives the same text."""
    w, h = _n(drawing.width), _n(drawing.height)
    body = "".join(map(_shape, drawing.shapes))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}pt" height="{h}pt" role="img" '
        f'font-family="{_FONT}"><title>{escape(drawing.title)}</title>'
        f'<rect width="{w}" height="{h}" fill="#ffffff"/>{body}</svg>'
    )


def _shape(shape: Shape) -> str:
    if isinstance(shape, Stroke):
        path = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in shape.points) + ("Z" if shape.closed else "")
        dash = f' stroke-dasharray="{" ".join(map(_n, shape.dash))}"' if shape.dash else ""
        faint = f' opacity="{_n(shape.opacity)}"' if shape.opacity < 1 else ""
        return (
            f'<path d="{path}" {_paint(shape.fill, shape.colour, shape.width)} stroke-linejoin="round"{dash}{faint}/>'
        )
    if isinstance(shape, Box):
        place = f'x="{_n(shape.x)}" y="{_n(shape.y)}" width="{_n(shape.width)}" height="{_n(shape.height)}"'
        return f"<rect {place} {_paint(shape.fill, shape.colour, shape.line)}/>"
    if isinstance(shape, Dot):
        faint = f' opacity="{_n(shape.opacity)}"' if shape.opacity < 1 else ""
        place = f'cx="{_n(shape.x)}" cy="{_n(shape.y)}" r="{_n(shape.radius)}"'
        return f"<circle {place} {_paint(shape.fill, shape.colour, 0.75)}{faint}/>"
    if isinstance(shape, Picture):
        data = base64.b64encode(shape.png).decode("ascii")
        place = f'x="{_n(shape.x)}" y="{_n(shape.y)}" width="{_n(shape.width)}" height="{_n(shape.height)}"'
        return f'<image {place} preserveAspectRatio="none" href="data:image/png;base64,{data}"/>'
    return _text(shape)


def _text(shape: Text) -> str:
    turn = f' transform="rotate(-90 {_n(shape.x)} {_n(shape.y)})"' if shape.turned else ""
    bold = ' font-weight="700"' if shape.bold else ""
    return (
        f'<text x="{_n(shape.x)}" y="{_n(shape.y)}" font-size="{_n(shape.size)}" fill="{shape.colour}" '
        f'text-anchor="{shape.anchor}"{bold}{turn}>{escape(shape.text)}</text>'
    )


def _paint(fill: str | None, colour: str | None, width: float) -> str:
    line = f'stroke="{colour}" stroke-width="{_n(width)}"' if colour else 'stroke="none"'
    return f'fill="{fill or "none"}" {line}'


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if value else "0"
