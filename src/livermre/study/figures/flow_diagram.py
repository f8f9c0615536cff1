"""The flow diagram: boxes from all exams identified down to what became of those that were tested."""

from collections.abc import Sequence

from livermre.study.figures.drawing import INK, SOFT, WASH, Box, Drawing, Shape, Stroke, Text
from livermre.study.flow import Count, Flow, counted

_WIDE, _STEP = 510.0, 24.0
_LINE = 11.0
_WORDS = {
    "measured": "measured", "acquisition": "failed: acquisition", "quality_control": "refused: quality control",
    "software": "failed: software",
}  # fmt: skip


def flow_diagram(flow: Flow) -> Drawing:
    """The diagram of a study."""
    shapes: list[Shape] = []
    y = _box(shapes, 130, 8, 250, ["Exams identified", _counted(flow.identified)])
    if flow.excluded:
        lines = [f"Left out: {counted(sum(c.exams for c in flow.excluded), 'exam')}"]
        lines += [f"{c.exams}  {c.label}" for c in flow.excluded]
        branch = y + 10
        low = _box(shapes, 300, branch, 205, lines, first_bold=True, align_left=True)
        shapes.append(Stroke([(255, branch + 10), (300, branch + 10)], SOFT))
        y = _arrow(shapes, 255, y, low + 6)
    else:
        y = _arrow(shapes, 255, y, y + _STEP)
    y = _box(shapes, 130, y, 250, ["Included", _counted(flow.included)])
    y = _subsets(shapes, flow, y)
    y = _outcomes(shapes, flow, y)
    return Drawing("flow", "Flow of exams and patients", _WIDE, y + 8, tuple(shapes))


def _subsets(shapes: list[Shape], flow: Flow, y: float) -> float:
    if flow.folds > 1:
        y = _arrow(shapes, 255, y, y + _STEP)
        words = [f"{flow.folds}-fold cross-validation", "patients drawn whole; each tested once"]
        return _box(shapes, 130, y, 250, words)
    if not flow.subsets:
        return y
    base = y + 12
    shapes.append(Stroke([(255, y), (255, base)], SOFT))
    shapes.append(Stroke([(90, base), (420, base)], SOFT))
    low = base
    for x, count in zip((90.0, 255.0, 420.0), flow.subsets, strict=True):
        top = _arrow(shapes, x, base, base + 14)
        low = _box(shapes, x - 75, top, 150, [count.label.capitalize(), _counted(count)])
    return low


def _outcomes(shapes: list[Shape], flow: Flow, y: float) -> float:
    """One box a network: how the exams that it was tested on ended."""
    if not flow.outcomes:
        return y
    wide = (_WIDE - 20 - 12 * (len(flow.outcomes) - 1)) / len(flow.outcomes)
    low = y
    shapes.append(Text(_WIDE / 2, y + 22, "Tested exams, all counted", 8, SOFT, "middle"))
    for i, (network, found) in enumerate(flow.outcomes.items()):
        lines = [f"{network}: {counted(sum(found.values()), 'exam')}"]
        lines += [f"{found.get(key, 0)}  {words}" for key, words in _WORDS.items()]
        x = 10 + i * (wide + 12)
        low = max(low, _box(shapes, x, y + 30, wide, lines, first_bold=True, align_left=True))
    return low


def _box(
    shapes: list[Shape], x: float, y: float, width: float, lines: Sequence[str], *, first_bold: bool = True,
    align_left: bool = False,
) -> float:  # fmt: skip
    """A box with lines of text; gives its lower edge."""
    height = _LINE * len(lines) + 10
    shapes.append(Box(x, y, width, height, SOFT, WASH, 0.75))
    for row, line in enumerate(lines):
        at = (x + 8, "start") if align_left else (x + width / 2, "middle")
        shapes.append(
            Text(at[0], y + 13 + _LINE * row, line, 8.5, INK, at[1], bold=first_bold and row == 0)  # type: ignore[arg-type]
        )
    return y + height


def _arrow(shapes: list[Shape], x: float, top: float, bottom: float) -> float:
    shapes.append(Stroke([(x, top), (x, bottom - 4)], SOFT))
    shapes.append(Stroke([(x - 3, bottom - 5), (x + 3, bottom - 5), (x, bottom)], None, 0, (), SOFT, True))
    return bottom


def _counted(count: Count) -> str:
    return f"{counted(count.exams, 'exam')} of {counted(count.patients, 'patient')}"
