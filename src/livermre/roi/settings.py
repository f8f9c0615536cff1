"""Settings of the region: every number that decides which pixel is measured."""

from dataclasses import dataclass, fields

from livermre.exam.errors import SettingsError


@dataclass(frozen=True)
class RoiSettings:
    """How the region is drawn. Lengths in mm in the image plane, areas in mm2."""

    erode_mm: float = 10.0
    """Margin to the liver's edge, where waves reflect and inversion windows reach outside.
    10 mm is this project's choice: at 60 Hz half a wavelength is 13 mm in liver of 2.5 kPa."""

    confidence_threshold: float = 0.95
    """Lower confidence is dropped: the 95 % mask of multi-model direct inversion (doi 10.1007/s00261-015-0372-5)."""

    right_lobe_only: bool = False
    """Whether pixels left of the plane `right_lobe_offset_mm` are dropped."""

    right_lobe_offset_mm: float = 20.0
    """How far to the patient's right of the body's midline the sagittal plane between the lobes is put
    (project's choice: near the inferior vena cava)."""

    rim_mm: float = 4.0
    """Brightness is not judged closer to the edge: pixels there mix with the neighbouring organ."""

    vessel_deviation: float = 3.0
    """A vessel starts where brightness leaves the local parenchyma by this many robust standard deviations ..."""

    vessel_reach: float = 2.25
    """... and reaches as far as connected pixels leave it by this many."""

    vessel_contrast: float = 0.12
    """Smaller relative differences of brightness are texture, however quiet the liver is."""

    vessel_minimum_mm2: float = 40.0
    """Smaller spots of unlike brightness may be noise: a round vessel of 5 mm blurs to about this area ..."""

    vessel_sure_deviation: float = 4.0
    """... unless they leave the parenchyma by this many robust standard deviations."""

    vessel_margin_mm: float = 2.5
    """Margin around vessels and around small holes of the liver mask."""

    background_mm: float = 25.0
    """Size of the neighbourhood that says how bright parenchyma is here (coil shading)."""

    hole_mm2: float = 400.0
    """Holes of the mask up to this area are vessels; larger ones are an edge with the whole margin."""

    hot_spot_ratio: float = 1.8
    """A hot spot is stiffer than this many times the median of its slice ..."""

    hot_spot_deviation: float = 5.0
    """... and leaves it by this many robust standard deviations, so that uneven stiff livers stay whole ..."""

    hot_spot_depth_mm: float = 25.0
    """... and reaches within this distance of the liver's edge on the right or front, under the driver ..."""

    hot_spot_minimum_mm2: float = 40.0
    """... as one patch of at least this area ..."""

    hot_spot_share: float = 0.2
    """... and all patches hold at most this share of the slice; more is the liver itself."""

    speck_mm2: float = 100.0
    """Islands smaller than this are dropped: below one resolution cell of the inversion (project's choice)."""

    low_signal_ratio: float = 1.5
    """Pixels darker than this many times the background are dropped: their phase is noise."""

    def __post_init__(self) -> None:
        """Raise SettingsError for numbers that no region can have."""
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, float) and not 0 <= value < float("inf"):
                raise SettingsError(f"{f.name} must be zero or more, found {value}")
        if self.confidence_threshold > 1:
            raise SettingsError(f"confidence_threshold must lie between 0 and 1, found {self.confidence_threshold}")
