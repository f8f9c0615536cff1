"""Cut-off tables: data files beside this one, each with source, frequency, dimension and whether it was checked."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

from livermre.exam.errors import SettingsError
from livermre.exam.types import Dimension


@dataclass(frozen=True)
class CutoffTable:
    """Bands of stiffness: band i lies from cut-off i-1 (included) to cut-off i (not included).

    name         what people type and reports print; ends in -unverified where the numbers were not checked
    title        one line for people
    cutoffs_kpa  rising, kPa
    bands        one more than cut-offs
    population   whom it holds for
    source       who published it
    verified     whether the numbers were read in their source
    note         what a reader must know beside the numbers
    """

    name: str
    title: str
    frequency_hz: float
    dimension: Dimension
    cutoffs_kpa: tuple[float, ...]
    bands: tuple[str, ...]
    population: str
    source: str
    verified: bool
    note: str = ""

    def __post_init__(self) -> None:
        """Raise SettingsError for a table that contradicts itself."""
        rising = all(a < b for a, b in zip(self.cutoffs_kpa, self.cutoffs_kpa[1:], strict=False))
        if not self.cutoffs_kpa or self.cutoffs_kpa[0] <= 0 or not rising:
            raise SettingsError(f"table {self.name}: cut-offs must be positive and rise, found {self.cutoffs_kpa}")
        if len(self.bands) != len(self.cutoffs_kpa) + 1 or len(set(self.bands)) != len(self.bands):
            raise SettingsError(f"table {self.name}: {len(self.cutoffs_kpa)} cut-offs need one more different bands")
        if not self.frequency_hz > 0 or self.dimension not in ("2D", "3D") or not self.source:
            raise SettingsError(f"table {self.name} needs a frequency above zero, a dimension (2D, 3D) and a source")
        if not self.verified and not self.name.endswith("-unverified"):
            raise SettingsError(f"table {self.name}: numbers that were not checked need a name ending in -unverified")

    def band_index(self, stiffness_kpa: float) -> int:
        """Which band holds a stiffness; a cut-off itself belongs to the band above."""
        return sum(stiffness_kpa >= c for c in self.cutoffs_kpa)

    @property
    def source_sentence(self) -> str:
        """Source for the page, with the mark where the numbers were not checked."""
        return self.source if self.verified else f"{self.source} (numbers not verified)"


def table_names() -> tuple[str, ...]:
    """Names of all tables, sorted."""
    files = resources.files(__package__).joinpath("tables").iterdir()
    return tuple(sorted(f.name.removesuffix(".json") for f in files if f.name.endswith(".json")))


@cache
def load_table(name: str) -> CutoffTable:
    """The table of a name; SettingsError with the names that exist for any other."""
    if name not in table_names():
        raise SettingsError(f"no cut-off table is called {name!r}; there are: {', '.join(table_names())}")
    text = resources.files(__package__).joinpath("tables", f"{name}.json").read_text(encoding="utf-8")
    entries = json.loads(text)
    entries.update(cutoffs_kpa=tuple(entries["cutoffs_kpa"]), bands=tuple(entries["bands"]))
    return CutoffTable(name=name, **entries)
