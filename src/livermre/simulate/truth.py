"""What is known about a simulated exam: one flat row for truth.csv."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Truth:
    """The number that an analysis should find, and everything that the exam was made from.

    liver_kpa    mean |G*| of the liver's parenchyma over all slices, kPa; vessels and lesions are left out;
                 None where no slice holds any
    slices_kpa   the same of each slice, None where the slice holds no liver
    areas_mm2    of each slice's parenchyma
    parameters   flat: stage, etiology, bmi, snr, ...
    """

    liver_kpa: float | None
    slices_kpa: tuple[float | None, ...]
    areas_mm2: tuple[float, ...]
    parameters: Mapping[str, object] = field(repr=False)

    @property
    def row(self) -> dict[str, object]:
        """One flat mapping: liver_kpa, liver_kpa_1 ... of the slices foot to head, then all parameters."""
        slices = {f"liver_kpa_{i}": kpa for i, kpa in enumerate(self.slices_kpa, 1)}
        areas = {f"liver_area_mm2_{i}": area for i, area in enumerate(self.areas_mm2, 1)}
        return {"liver_kpa": self.liver_kpa, **self.parameters, **slices, **areas}
