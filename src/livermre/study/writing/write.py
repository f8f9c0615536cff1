"""Writing the report: page, PDF, figures, tables, cards and checklists, each whole or not at all."""

from collections.abc import Mapping
from pathlib import Path

from livermre.exam.atomic import write_bytes
from livermre.results import make_folder, write_text
from livermre.study.analysis import Analysis
from livermre.study.figures.drawing import Drawing
from livermre.study.figures.svg import to_svg
from livermre.study.inspection import Report
from livermre.study.results import StudyResults, gather, write_results
from livermre.study.tables import Table, to_csv, to_latex
from livermre.study.writing.document import Bullets, Document, Notice, Section
from livermre.study.writing.html import render_html
from livermre.study.writing.pdf import render_pdf
from livermre.study.writing.pictures import study_figures
from livermre.study.writing.sections import study_document

PAGE, SHEET = "study.html", "study.pdf"
_APART = {
    "summary": "summary",
    "methods": "methods",
    "model-card": "model-card",
    "data-card": "data-card",
    "claim2024": "CLAIM-2024",
    "stard2015": "STARD-2015",
}
"""Sections (by the start of their key) that are files of their own, too."""


def write_report(out: Path, report: Report) -> tuple[Path, Mapping[str, Analysis]]:
    """Everything that is written of the study in DIR, again from its folder; gives the page's path and every analysis.

    Raises InputError where DIR holds no finished study, OutputError where the disk refuses.
    """
    results = gather(out, report)
    report("writing", 0, 1)
    write_results(results, out)
    write_study(results, out)
    report("writing", 1, 1)
    return out / PAGE, results.analyses


def write_study(results: StudyResults, out: Path) -> None:
    """Page, PDF, figures, tables and texts of results."""
    document = study_document(results, study_figures(results, out))
    write_document(document, out, PAGE, SHEET)
    for start, name in _APART.items():
        parts = [s for s in document.sections if s.key.startswith(start)]
        write_text(out / f"{name}.md", "\n".join(map(_markdown, parts)))


def write_document(document: Document, out: Path, page: str, sheet: str | None) -> None:
    """A document as page and PDF, its tables as CSV and LaTeX, its figures as SVG."""
    write_figures(document.figures, out)
    write_tables(document.tables, out)
    if sheet is not None:
        write_bytes(out / sheet, render_pdf(document))
    write_text(out / page, render_html(document))


def write_figures(figures: list[Drawing], out: Path) -> None:
    """figures/NAME.svg."""
    make_folder(out / "figures")
    for drawing in figures:
        write_text(out / "figures" / f"{drawing.name}.svg", to_svg(drawing) + "\n")


def write_tables(tables: list[Table], out: Path) -> None:
    """tables/NAME.csv and NAME.tex."""
    make_folder(out / "tables")
    for table in tables:
        write_text(out / "tables" / f"{table.key}.csv", to_csv(table))
        write_text(out / "tables" / f"{table.key}.tex", to_latex(table))


def _markdown(part: Section) -> str:
    """A section as Markdown, tables as tables; figures are left to the page."""
    lines = [f"## {part.title}", ""]
    for block in part.blocks:
        if isinstance(block, str):
            lines += [block, ""]
        elif isinstance(block, Notice):
            lines += [f"> {block.text}", ""]
        elif isinstance(block, Bullets):
            lines += [*(f"- {item}" for item in block.items), ""]
        elif isinstance(block, Table):
            lines += [f"**{block.title}**", "", *_markdown_table(block), "", block.note, ""]
    return "\n".join(lines)


def _markdown_table(table: Table) -> list[str]:
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"

    return [line(list(table.columns)), line(["---"] * len(table.columns)), *map(line, table.texts())]
