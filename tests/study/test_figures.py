"""Figures: data lie where the axes say, text is escaped, the flow counts everybody, and both papers take them."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from livermre.study.entry import Entry
from livermre.study.figures.agreement import bland_altman
from livermre.study.figures.axes import Axes, ticks
from livermre.study.figures.curves import Curve, learning_curves
from livermre.study.figures.drawing import Box, Dot, Drawing, Stroke, Text, side_by_side
from livermre.study.figures.flow_diagram import flow_diagram
from livermre.study.figures.overlays import Overlay, overlays
from livermre.study.figures.svg import to_svg
from livermre.study.flow import flow_of
from livermre.study.writing.document import Bullets, Document, Notice, section
from livermre.study.writing.html import render_html
from livermre.study.writing.pdf import render_pdf
from study.phantoms import Phantom, exam_of, liver_of


@pytest.mark.parametrize(
    ("limits", "expected"),
    [((0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1.0]), ((0, 8), [0, 2, 4, 6, 8]), ((-7, 7), [-5, -2.5, 0, 2.5, 5])],
)
def test_ticks_are_round_and_inside(limits: tuple[float, float], expected: list[float]) -> None:
    assert ticks(*limits) == pytest.approx(expected)


def test_data_lie_where_the_axes_say() -> None:
    axes = Axes("a", "t", (0, 10), (0, 1), "x", "y")
    (x0, y0), (x1, y1), (xm, ym) = axes.at(0, 0), axes.at(10, 1), axes.at(5, 0.5)
    assert (xm, ym) == ((x0 + x1) / 2, (y0 + y1) / 2)
    assert y1 < y0  # upwards on paper
    assert axes.at(99, -5) == (x1, y0)  # outside the limits: at the frame
    axes.dots([5, float("nan")], [0.5, 0.5], "#000000")
    (dot,) = [s for s in axes.finish().shapes if isinstance(s, Dot)]
    assert (dot.x, dot.y) == (xm, ym)


def test_bland_altman_draws_bias_and_limits() -> None:
    reference = np.array([2.0, 3.0, 4.0, 5.0])
    measured = reference * np.array([1.02, 0.98, 1.04, 1.0])
    percent = 200 * (measured - reference) / (measured + reference)
    bias, sd = percent.mean(), percent.std(ddof=1)
    drawn = bland_altman("b", "t", measured.tolist(), reference.tolist(), "#0072b2", "reader")
    note = next(s.text for s in drawn.shapes if isinstance(s, Text) and s.text.startswith("bias"))
    assert note == f"bias {bias:+.1f} %, limits {bias - 1.96 * sd:+.1f} to {bias + 1.96 * sd:+.1f} %".replace("-", "−")
    assert sum(isinstance(s, Dot) for s in drawn.shapes) == 8


def entry(name: str, patient: str, reason: str = "") -> Entry:
    return Entry(name, patient, True, {}, reason=reason)


def test_the_flow_counts_everybody() -> None:
    entries = [
        entry("a", "1"),
        entry("b", "1"),
        entry("c", "2"),
        entry("d", "3", "no_mask"),
        entry("e", "3", "no_mask"),
    ]
    split = {"a": "training", "b": "training", "c": "test"}
    flow = flow_of(entries, [split], {"unet": ["measured", "software"]})
    assert (flow.identified.exams, flow.identified.patients) == (5, 3)
    assert [(c.label, c.exams, c.patients) for c in flow.excluded] == [("no reference mask", 2, 1)]
    assert flow.identified.exams == flow.included.exams + sum(c.exams for c in flow.excluded)
    texts = [s.text for s in flow_diagram(flow).shapes if isinstance(s, Text)]
    assert {"5 exams of 3 patients", "2  no reference mask", "2 exams of 1 patient", "1  failed: software"} <= set(
        texts
    )


def drawings() -> list[Drawing]:
    phantom = Phantom("a", "a")
    curve = Curve("r", "unet", (3.0, 2.0, 1.0), ((2, 0.4), (3, 0.7)))
    shapes = (
        Stroke([(0, 0), (9, 9)], dash=(2, 1)), Box(1, 1, 5, 5, None, "#ffffff"), Dot(3, 3, 1),
        Text(2, 8, 'a < b & "c" ≥ d', turned=True),
    )  # fmt: skip
    return [
        learning_curves([curve], {"unet": "#0072b2"}),
        overlays("o", "t", [Overlay("best", exam_of(phantom), liver_of(phantom), liver_of(phantom))]),
        side_by_side("s", "t", [Drawing("x", "t", 20, 10, shapes), Drawing("y", "t", 20, 30, shapes)]),
    ]


def test_drawings_are_whole_svg_with_escaped_text() -> None:
    for drawing in drawings():
        root = ET.fromstring(to_svg(drawing))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ['a < b & "c" ≥ d'] * 2
    assert (drawing.width, drawing.height) == (54, 30)


def test_page_and_pdf_take_every_block_and_repeat_themselves() -> None:
    blocks = ["a <b> & c", Notice("not patients"), Bullets(("one", "two")), *drawings()]
    document = Document("T", "S", (section("k", "Title", [*blocks, None]), section("l", "Last", [])))
    page = render_html(document)
    assert "a &lt;b&gt; &amp; c" in page
    assert page == render_html(document)
    assert [d.name for d in document.figures] == ["learning-curves", "o", "s"]
    sheet = render_pdf(document)
    assert sheet.startswith(b"%PDF")
    assert sheet == render_pdf(document)
