"""The document as one self-contained page: no script, no network, every text escaped by the template."""

from functools import lru_cache
from importlib.resources import files

import jinja2
from markupsafe import Markup

from livermre.study.figures.drawing import Drawing
from livermre.study.figures.svg import to_svg
from livermre.study.tables import Table
from livermre.study.writing.document import Block, Bullets, Document, Notice


def render_html(document: Document) -> str:
    """The page; the same document gives the same bytes."""
    places = {id(t): i for i, t in enumerate(document.tables, start=1)}
    places |= {id(d): i for i, d in enumerate(document.figures, start=1)}
    return _template().render(
        document=document,
        css=Markup(_source("page.css")),  # our own file
        svg=lambda drawing: Markup(to_svg(drawing)),  # escaped where it is made
        kind_of=_kind,
        number_of=lambda block: places[id(block)],
    )


def _kind(block: Block) -> str:
    if isinstance(block, str):
        return "text"
    kinds = {Notice: "notice", Bullets: "bullets", Table: "table", Drawing: "figure"}
    return kinds[type(block)]


def _source(name: str) -> str:
    return files("livermre.study.writing").joinpath("templates", name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")
