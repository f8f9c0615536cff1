"""A document as plain blocks: what the page and the PDF both show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from livermre.study.figures.drawing import Drawing
from livermre.study.tables import Table


@dataclass(frozen=True)
class Bullets:
    """A list of short lines."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Notice:
    """A sentence that nobody may miss."""

    text: str


Block = str | Bullets | Notice | Table | Drawing
"""A paragraph, a list, a notice, a table or a figure."""


@dataclass(frozen=True)
class Section:
    """A part of the document; `key` is its anchor, which the checklists name."""

    key: str
    title: str
    blocks: tuple[Block, ...]
    level: int = 2


@dataclass(frozen=True)
class Document:
    """Everything that is shown, in order."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]

    @property
    def tables(self) -> list[Table]:
        """All tables, in order: Table 1 is the first."""
        return [b for b in self._blocks() if isinstance(b, Table)]

    @property
    def figures(self) -> list[Drawing]:
        """All figures, in order: Figure 1 is the first."""
        return [b for b in self._blocks() if isinstance(b, Drawing)]

    @property
    def numbers(self) -> dict[str, int]:
        """Number of every section by its key, as the headings count: 1, 2, ..."""
        return {s.key: i for i, s in enumerate(self.sections, start=1)}

    def _blocks(self) -> Iterator[Block]:
        for section in self.sections:
            yield from section.blocks


def section(key: str, title: str, blocks: Sequence[Block | None], level: int = 2) -> Section:
    """A section without the blocks that there are not."""
    return Section(key, title, tuple(b for b in blocks if b is not None), level)
