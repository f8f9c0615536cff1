"""What patients are like: the distributions that simulated patients are drawn from, each with its source.

(v) read in a source, (u) general knowledge or the project's choice, not verified. All stiffness is |G*| at 60 Hz.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from livermre.simulate.tissue import Tissue as T

Vendor = Literal["GE", "Siemens", "Philips"]
Sequence = Literal["GRE", "SE-EPI"]

STAGES = ("F0", "F1", "F2", "F3", "F4")
STAGE_SHARE = (0.32, 0.2, 0.18, 0.15, 0.15)  # (u) a referral clinic


@dataclass(frozen=True)
class Spread:
    """A lognormal of this mean and sd, drawn again where it falls outside the range."""

    mean: float
    sd: float
    low: float
    high: float

    def draw(self, rng: np.random.Generator) -> float:
        """One value."""
        width = np.sqrt(np.log1p((self.sd / self.mean) ** 2))
        middle = np.log(self.mean) - width**2 / 2
        for _ in range(100):
            value = float(np.exp(rng.normal(middle, width)))
            if self.low <= value <= self.high:
                return value
        return self.mean


LIVER_KPA: Mapping[str, Spread] = {
    "F0": Spread(2.2, 0.35, 1.5, 3.1),  # (v) mean 2.1-2.2: Motosugi 2010; healthy 1.51-2.67 at 1.5-3 T
    "F1": Spread(2.7, 0.6, 1.6, 4.5),  # (u) Motosugi 2010 has 2.2 in few biopsies
    "F2": Spread(3.3, 0.8, 1.9, 5.5),  # (u) Motosugi 2010: 3.1
    "F3": Spread(4.3, 1.1, 2.4, 7.5),  # (u) Motosugi 2010: 4.4
    "F4": Spread(6.3, 2.2, 3.0, 14.0),  # (u) Motosugi 2010: 5.7
}
LIVER_LOSS = Spread(0.39, 0.09, 0.15, 0.6)  # tan d: published fits (v) give 0.38 in volunteers, 0.43 in F3-4

ETIOLOGY_SHARE: Mapping[str, float] = {"MASLD": 0.45, "HBV": 0.15, "HCV": 0.15, "alcohol": 0.13, "other": 0.12}  # (u)
ETIOLOGY_FACTOR: Mapping[str, float] = {"MASLD": 1.0, "HBV": 0.94, "HCV": 1.0, "alcohol": 1.08, "other": 1.0}
"""(u) project's choice; cut-offs by cause differ by as much: >= F2 2.80 (viral, Wu 2015), 3.14 (MASLD, Liang 2023)."""

INFLAMED_SHARE = 0.12  # (u) inflammation without fibrosis over-calls F0 and F1 (v, Liang 2023)
INFLAMED_FACTOR = (1.1, 1.35)  # (u)

TISSUE_KPA: Mapping[T, tuple[Spread, Spread]] = {  # |G*| and tan d, (u) but for the spleen's mean (v)
    T.INNER_FAT: (Spread(1.6, 0.4, 1.0, 3.0), Spread(0.4, 0.1, 0.2, 0.6)),
    T.SKIN_FAT: (Spread(2.0, 0.5, 1.0, 3.0), Spread(0.4, 0.1, 0.2, 0.6)),
    T.MUSCLE: (Spread(5.0, 1.2, 3.0, 8.0), Spread(0.33, 0.07, 0.2, 0.5)),
    T.BONE: (Spread(45, 15, 30, 100), Spread(0.2, 0.05, 0.1, 0.3)),
    T.SPINAL_CANAL: (Spread(1.0, 0.2, 0.6, 2.0), Spread(1.0, 0.3, 0.5, 2.0)),
    T.HEART: (Spread(4.5, 1.0, 2.5, 8.0), Spread(0.4, 0.1, 0.2, 0.6)),
    T.SPLEEN: (Spread(3.6, 0.6, 2.4, 5.6), Spread(0.33, 0.07, 0.2, 0.5)),
    T.KIDNEY_RIGHT: (Spread(4.3, 0.4, 3.7, 5.0), Spread(0.33, 0.07, 0.2, 0.5)),
    T.STOMACH: (Spread(1.0, 0.3, 0.4, 2.0), Spread(1.5, 0.4, 1.0, 3.0)),
    T.COLON: (Spread(1.2, 0.3, 0.5, 2.5), Spread(0.8, 0.2, 0.4, 2.0)),
    T.SMALL_BOWEL: (Spread(1.2, 0.3, 0.5, 2.5), Spread(0.7, 0.2, 0.4, 2.0)),
    T.PANCREAS: (Spread(1.4, 0.15, 1.1, 1.7), Spread(0.5, 0.12, 0.3, 0.8)),
    T.OESOPHAGUS: (Spread(2.0, 0.4, 1.0, 4.0), Spread(0.5, 0.1, 0.2, 0.8)),
    T.GLAND: (Spread(3.0, 0.5, 2.0, 5.0), Spread(0.4, 0.1, 0.2, 0.6)),
    T.LIVER_LESION: (Spread(5.5, 2.0, 2.0, 12.0), Spread(0.3, 0.08, 0.15, 0.5)),
}
FLUIDS = (T.ARTERY, T.VEIN, T.PORTAL_VEIN, T.LIVER_VESSEL, T.GALLBLADDER, T.ASCITES)
FLUID_KPA = Spread(0.7, 0.2, 0.4, 1.0)  # (u) fluid carries no shear: a soft, lossy stand-in
FLUID_LOSS = Spread(2.0, 0.6, 1.0, 4.0)  # (u)
VOIDS = (T.AIR, T.LUNG, T.ARM)  # lung and air reflect; arms do not touch the trunk

IRON_TIME_MS: Mapping[Sequence, float] = {"GRE": 20.5, "SE-EPI": 7.2}
"""What multiplies R2* in the signal: exp(-2.07) at the published limits of 101/s (GRE) and 289/s (SE-EPI), 3 T (v)."""

_NORMAL_R2STAR_15 = Spread(32, 5, 22, 45)  # 1/s at 1.5 T (u)
_IRON_R2STAR_15 = Spread(110, 70, 45, 450)  # (u)
IRON_SHARE = 0.08  # (u)


def r2star_of(rng: np.random.Generator, field_t: float) -> float:
    """R2* of a liver, 1/s: one in twelve carries iron; 3 T doubles the excess over 11/s (u)."""
    spread = _IRON_R2STAR_15 if rng.random() < IRON_SHARE else _NORMAL_R2STAR_15
    at_15 = spread.draw(rng)
    return at_15 if field_t < 2 else 2 * at_15 - 11


def normal_r2star(field_t: float) -> float:
    """The R2* at which a liver has its plain brightness, 1/s."""
    return 32.0 if field_t < 2 else 53.0
