"""CLAIM 2024 and STARD 2015: which section of the report answers each item, and what only the authors can."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from livermre.study.tables import Table

NAMES = ("claim2024", "stard2015")


@dataclass(frozen=True)
class Item:
    """One item: its number, what it asks in our short words, the sections that answer, and what is left to do."""

    number: str
    asks: str
    sections: tuple[str, ...]
    authors: str


@dataclass(frozen=True)
class Checklist:
    """A checklist with its source."""

    name: str
    title: str
    source: str
    items: tuple[Item, ...]


def load_checklist(name: str) -> Checklist:
    """The checklist of a name."""
    text = resources.files(__package__).joinpath("checklists", f"{name}.json").read_text(encoding="utf-8")
    content = json.loads(text)
    items = tuple(Item(i["n"], i["asks"], tuple(i["sections"]), i.get("authors", "")) for i in content["items"])
    return Checklist(name, content["title"], content["source"], items)


def checklist_table(checklist: Checklist, numbers: Mapping[str, int], titles: Mapping[str, str]) -> Table:
    """The checklist filled in: item, where it is answered, what the authors must add.

    numbers, titles  of the report's sections by key; a section that this report lacks is not named
    """
    rows = tuple((i.number, i.asks, _where(i.sections, numbers, titles), i.authors) for i in checklist.items)
    return Table(
        checklist.name,
        checklist.title,
        ("item", "asks for", "answered in", "left to the authors"),
        rows,
        checklist.source,
    )


def _where(sections: Sequence[str], numbers: Mapping[str, int], titles: Mapping[str, str]) -> str:
    found = [f"{numbers[s]} {titles[s]}" for s in sections if s in numbers]
    return "; ".join(found) or "–"
