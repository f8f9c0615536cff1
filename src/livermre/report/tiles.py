"""Tiles with their lines drawn in: the pixels that overlay.png and report.pdf share."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from livermre.report.colours import CASING, EMPTY, HATCH, LIVER, REGION, palette, rgb
from livermre.report.figure_text import draw_text
from livermre.report.pictures import Pictures, SlicePictures

KINDS = ("Magnitude", "Stiffness", "Confidence")

_FINE = 2  # lines are drawn this many times larger and averaged down: smooth edges


def tile_width(count: int) -> int:
    """Width of a tile in pixels for an exam of so many slices."""
    return {1: 420, 2: 380, 3: 360, 4: 320}.get(count, 260)


def tiles(drawn: Pictures) -> list[tuple[Image.Image, ...]]:
    """For each slice its magnitude, stiffness and confidence as RGB images of one size."""
    width = tile_width(len(drawn.slices))
    size = (width, max(40, round(width / drawn.aspect)))
    return [tuple(_tile(one, kind, size, drawn) for kind in range(len(KINDS))) for one in drawn.slices]


def _tile(one: SlicePictures, kind: int, size: tuple[int, int], drawn: Pictures) -> Image.Image:
    image = (one.magnitude, one.stiffness, one.confidence)[kind]
    if image is None:
        return _missing(size, KINDS[kind])
    scale = (size[0] / drawn.size_mm[0], size[1] / drawn.size_mm[1])
    tile = _coloured(image, size) if kind == 1 else _grey(image, size)
    if kind == 0:
        _stroke(tile, one.liver, scale, LIVER, 2.2)
        _stroke(tile, one.region, scale, REGION, 1.4)
    elif kind == 1:
        _stroke(tile, one.liver, scale, REGION, 1.2, share=0.75)
        _stroke(tile, one.region, scale, CASING, 4.2, share=0.85)
        _stroke(tile, one.region, scale, REGION, 2.0)
    else:
        _stroke(tile, one.hatch, scale, HATCH, 1.1, share=0.8, closed=False)
        _stroke(tile, one.liver, scale, LIVER, 2.0)
    draw_text(ImageDraw.Draw(tile), (6, size[1] / 2), drawn.letters[0], 14, "#ffffff", anchor="lm", outline=True)
    return tile


def _missing(size: tuple[int, int], kind: str) -> Image.Image:
    tile = Image.new("RGB", size, rgb(EMPTY))
    draw_text(ImageDraw.Draw(tile), (size[0] / 2, size[1] / 2), f"no {kind.lower()} map", 15, "#c9ced5", anchor="mm")
    return tile


def _grey(image: np.ndarray, size: tuple[int, int]) -> Image.Image:
    return Image.fromarray(image).resize(size, Image.Resampling.BICUBIC).convert("RGB")


def _coloured(index: np.ndarray, size: tuple[int, int]) -> Image.Image:
    colours = palette()
    colours[-1] = rgb(EMPTY)
    return Image.fromarray(colours[index]).resize(size, Image.Resampling.BILINEAR)


def _stroke(
    tile: Image.Image,
    lines: Sequence[np.ndarray] | np.ndarray,
    scale: tuple[float, float],
    colour: str,
    width: float,
    share: float = 1.0,
    closed: bool = True,
) -> None:
    """Lines in mm drawn smooth onto a tile: `scale` in pixels a mm, `width` in pixels, `share` of ink 0..1."""
    if not len(lines):
        return
    left, top, right, bottom = _around(lines, scale, width, tile.size)
    fine = Image.new("L", ((right - left) * _FINE, (bottom - top) * _FINE), 0)
    pen = ImageDraw.Draw(fine)
    factor, shift = np.array(scale) * _FINE, np.array([left, top]) * _FINE + 0.5
    ink, thick = round(255 * share), max(1, round(width * _FINE))
    for line in lines:
        points = line * factor - shift
        if closed:
            points = np.concatenate([points, points[:2]])
        pen.line(points.ravel().tolist(), fill=ink, width=thick)
    tile.paste(rgb(colour), (left, top), fine.reduce(_FINE))


def _around(
    lines: Sequence[np.ndarray] | np.ndarray, scale: tuple[float, float], width: float, size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """The part of a tile (left, top, right, bottom) that the lines touch."""
    points = np.concatenate(list(lines)) * np.array(scale)
    low = np.maximum(np.floor(points.min(axis=0) - width), 0).astype(int)
    high = np.minimum(np.ceil(points.max(axis=0) + width) + 1, size).astype(int)
    high = np.maximum(high, low + 1)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
