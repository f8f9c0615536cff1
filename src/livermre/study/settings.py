"""Settings of a study: all that decides its numbers beside the data."""

from dataclasses import dataclass, field, fields, replace
from typing import Literal

from livermre.exam.errors import SettingsError
from livermre.roi import RoiSettings
from livermre.stiffness import IntervalSettings, MeasureSettings

NETWORKS = ("unet", "unet-resnext50")


@dataclass(frozen=True)
class StudySettings:
    """How a study is done; the defaults are the full study, `quick()` the short one."""

    networks: tuple[str, ...] = NETWORKS
    """Trained and compared under the same conditions; the last two are the pair of the comparison."""

    seeds: tuple[int, ...] = (1, 2, 3)
    """Each network is trained once for every seed: of its first weights, its batches and their augmentation."""

    size: int = 128
    """Pixels of a training image along each side, over a field of view of 384 mm."""

    images: int = 12_000
    """Images that each network sees in a run."""

    batch: int = 8
    """Images in a step of the optimiser."""

    accumulate: int = 1
    """Parts of a batch that go through the network one after the other, where memory is short."""

    peak_rate: float = 1.2e-3
    """Highest learning rate of the one-cycle schedule."""

    weight_decay: float = 0.02
    ema: float = 0.995
    """Memory of the moving average of weights, which is what is validated and exported."""

    validate_every: int = 100
    """Steps between validations; the averaged weights with the best mean Dice an exam are exported."""

    patience: int | None = None
    """Validations without a better one after which a run stops; None: runs go to their end, as one-cycle needs."""

    bf16: bool = False
    """Autocast to bf16: faster where the processor has bf16 matrix units."""

    device: Literal["cpu", "cuda"] = "cpu"
    threads: int | None = None
    weights: Literal["int8", "fp16", "fp32"] = "int8"
    """Storage of the exported weights; what is exported is what is evaluated."""

    zero_shot: bool = True
    """Whether the shipped network, never shown this cohort, is evaluated beside the trained ones."""

    validation_share: float = 0.2
    """Share of the patients that decides which weights are kept."""

    test_share: float = 0.2
    """Share of the patients that nothing is decided on; the study's results are theirs."""

    folds: int = 0
    """Patient-level cross-validation with so many folds instead of one test set; 0: none."""

    split_seed: int = 1
    """Seed of the split and of every bootstrap."""

    table: str = "rdes149"
    """Cut-off table, declared before the results are seen."""

    liver_labels: tuple[int, ...] | None = None
    """Values of the liver in label maps; None: as the cohort's dataset.json says, else 1."""

    tolerance_mm: float = 2.0
    """Tolerance of the surface Dice: two careful readers' outlines differ by about this much (project's choice)."""

    draws: int = 2000
    """Bootstrap draws of every interval, patients drawn whole."""

    roi: RoiSettings = field(default_factory=RoiSettings)
    measure: MeasureSettings = field(default_factory=MeasureSettings)
    interval: IntervalSettings = field(default_factory=IntervalSettings)

    def __post_init__(self) -> None:
        """Raise SettingsError for what no study can be done with."""
        unknown = sorted(set(self.networks) - set(NETWORKS))
        if unknown or not self.networks:
            raise SettingsError(f"networks of a study: {', '.join(NETWORKS)}; found {', '.join(unknown) or 'none'}")
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise SettingsError(f"a study needs different seeds, at least one, found {self.seeds}")
        if self.size < 32 or self.size % 32:
            raise SettingsError(f"the image size must be a multiple of 32, found {self.size}")
        if self.folds == 1 or self.folds < 0:
            raise SettingsError(f"cross-validation needs 2 or more folds (0: none), found {self.folds}")
        for name in ("images", "batch", "accumulate", "validate_every", "draws"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be 1 or more, found {getattr(self, name)}")
        if self.batch % self.accumulate:
            raise SettingsError(f"a batch of {self.batch} cannot be split into {self.accumulate} equal parts")
        for name in ("validation_share", "test_share"):
            if not 0 < getattr(self, name) < 0.5:
                raise SettingsError(f"{name} must lie between 0 and 0.5, found {getattr(self, name)}")

    @property
    def steps(self) -> int:
        """Optimiser steps of a run."""
        return max(1, self.images // self.batch)

    def quick(self) -> "StudySettings":
        """The same study in short: 64 x 64 pixels, 480 images a network, one seed; its numbers mean little."""
        return replace(self, seeds=self.seeds[:1], size=64, images=480, batch=8, validate_every=20, draws=1000)


def described() -> dict[str, str]:
    """What every setting of a study is, by its name, for the methods text."""
    return {f.name: f.name.replace("_", " ") for f in fields(StudySettings)}
