"""Writing the pages into a folder: each under a temporary name first, finding.json last."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from livermre.exam.errors import OutputError
from livermre.exam.types import Finding, Identity
from livermre.report.finding_json import finding_bytes
from livermre.report.html import render_html, template
from livermre.report.overlay import render_overlay
from livermre.report.pdf import render_pdf
from livermre.report.pictures import pictures
from livermre.report.sheet import Sheet
from livermre.report.tiles import tiles


def prepare() -> None:
    """Load what only pages need, half a second the first time: for a moment in which something else is waited for."""
    template()
    Sheet("")


def write(finding: Finding, identity: Identity | None, folder: Path) -> None:
    """Write report.html, report.pdf, overlay.png and, once those are safe, finding.json; OutputError when it cannot."""
    pages = _pages(finding, identity)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror or error}") from error
    for name, data in pages.items():
        _write_whole(folder / name, data)


def _pages(finding: Finding, identity: Identity | None) -> dict[str, bytes]:
    drawn = pictures(finding)
    painted = tiles(drawn)
    with ThreadPoolExecutor(max_workers=1) as beside:
        # compressing the figure lets go of Python's lock, so it costs no time beside page and sheet
        overlay = beside.submit(render_overlay, finding, drawn, painted)
        html = render_html(finding, identity, drawn).encode("utf-8", errors="replace")
        sheet = render_pdf(finding, identity, drawn, painted)
        return {
            "report.html": html,
            "report.pdf": sheet,
            "overlay.png": overlay.result(),
            "finding.json": finding_bytes(finding),
        }


def _write_whole(path: Path, data: bytes) -> None:
    """All of the file or nothing: a reader never sees half of it, nor does a full disk leave one behind."""
    part = path.with_name(f".{path.name}.part")
    try:
        try:
            part.write_bytes(data)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path.name} cannot be written to {path.parent}: {error.strerror or error}") from error
