"""report.html: one self-contained page, no script and no network; every text is escaped by the template."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from livermre.exam.flags import Flag
from livermre.exam.reasons import SENTENCES
from livermre.exam.types import Finding, Identity
from livermre.report import svg, words
from livermre.report.colours import KEPT, SEVERITY_WORD, band_colours, reason_colour
from livermre.report.pictures import Pictures, flat, pictures
from livermre.report.waves import wave_section

if TYPE_CHECKING:
    from jinja2 import Template


@lru_cache(maxsize=1)
def template() -> "Template":
    """The template of the page, compiled once a process."""
    import jinja2

    source = files("livermre.report").joinpath("templates")
    loader = jinja2.FunctionLoader(lambda name: source.joinpath(name).read_text(encoding="utf-8"))
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html.j2")


def render_html(finding: Finding, identity: Identity | None, drawn: Pictures | None = None) -> str:
    """The page; identity None writes "de-identified". Pass what `pictures` gave to spare computing it twice."""
    drawn = drawn or pictures(finding)
    return template().render(
        finding=finding,
        found=finding.stiffness,
        ok=finding.reportable,
        words=words,
        who=words.who(identity),
        flags=[_flag(f) for f in finding.flags],
        slices=[_slice(finding, drawn, i) for i in range(len(drawn.slices))],
        drawn=drawn,
        svg=svg,
        stage=_stage(finding) if finding.reportable and finding.stage else None,
        left_out=_left_out(finding, drawn),
        provenance=_provenance(finding),
        settings=_settings(finding.provenance.settings),
        has_confidence=any(s.confidence is not None for s in drawn.slices),
        room=_room(finding),
        waves=wave_section(finding, drawn),
    )


_FEW, _MANY = 2, 5


def _room(finding: Finding) -> str:
    """How number and flags share the head of the page without leaving it half empty."""
    count = len(finding.flags)
    tall = finding.reportable and finding.stiffness.interval_95_kpa is not None
    return "few" if tall and count <= _FEW else "many" if count > _MANY else "some"


def _settings(settings: Mapping[str, object]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Settings by stage: (stage, [(name, value)]); those of no stage come last."""
    stages = {k: [(n, _setting(x)) for n, x in flat(v)] for k, v in settings.items() if isinstance(v, Mapping)}
    others = [(k, _setting(v)) for k, v in settings.items() if not isinstance(v, Mapping)]
    return [*stages.items(), *([("others", others)] if others else [])]


def _flag(flag: Flag) -> dict[str, str]:
    message = words.unbroken(flag.message)
    return {"severity": flag.severity.value, "word": SEVERITY_WORD[flag.severity], "message": message}


def _slice(finding: Finding, drawn: Pictures, index: int) -> dict[str, object]:
    one, row, ok = drawn.slices[index], finding.stiffness.slices[index], finding.reportable
    return {
        "number": index + 1,
        "row": row,
        "mean": row.mean_kpa if ok else None,
        "sd": row.sd_kpa if ok else None,
        "median": row.median_kpa if ok else None,
        "iqr": row.iqr_kpa if ok else None,
        "flags": [_flag(f) for f in row.flags],
        "outlines": svg.outlines(index, one, drawn),
        "magnitude": svg.magnitude(index, one, drawn),
        "stiffness": svg.stiffness(index, one, drawn),
        "confidence": svg.confidence(index, one, drawn),
        "histogram": svg.histogram(one, drawn, row.mean_kpa, finding.stiffness.mean_kpa) if ok and row.pixels else None,
    }


def _stage(finding: Finding) -> dict[str, object]:
    stage = finding.stage
    if stage is None:
        return {}
    names = stage.bands or (stage.band,)
    colours = band_colours(len(names))
    chances = stage.probabilities or {}
    rows = [
        {
            "name": words.band(name),
            "range": words.band_range(stage, i),
            "colour": colour,
            "chance": chances.get(name),
            "here": name == stage.band,
        }
        for i, (name, colour) in enumerate(zip(names, colours))
    ]
    return {"bar": svg.stage_bar(stage, finding.stiffness), "rows": rows}


def _left_out(finding: Finding, drawn: Pictures) -> dict[str, object]:
    kept, dropped = finding.stiffness.area_mm2, drawn.dropped_mm2
    total = kept + sum(dropped.values())
    rows = [{"colour": KEPT, "text": words.kept(finding), "area": kept, "share": kept / total if total else 0.0}]
    for reason, area in dropped.items():
        rows.append({"colour": reason_colour(reason), "text": SENTENCES[reason], "area": area, "share": area / total})
    return {"bar": svg.reason_bar(kept, dropped) if total else None, "rows": rows, "total": total}


def _provenance(finding: Finding) -> list[tuple[str, str]]:
    made = finding.provenance
    rows = [
        ("Quantity", words.quantity(finding.exam.quantity) + ", kPa"),
        ("Acquisition", words.technique(finding.exam.acquisition, finding.exam.stiffness_source)),
        ("Stiffness map", words.map_by(finding.exam.acquisition, made.stiffness_source)),
        *([("Series", ", ".join(map(str, made.series)))] if made.series else []),
        ("Outline", f"{made.model or 'given, no network'}"),
        ("Network SHA-256", made.model_sha256 or "–"),
        ("Region by", finding.roi.author),
        ("Inputs SHA-256", made.inputs_sha256),
        ("livermre", made.livermre),
    ]
    return rows + [(name, version) for name, version in made.versions.items()]


def _setting(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "not set", True: "yes", False: "no"}[value]
    if isinstance(value, Mapping | list | tuple):
        return ", ".join(str(v) for v in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
