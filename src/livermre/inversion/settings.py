"""Settings of the inversion: every length and threshold that decides what the map says."""

from dataclasses import dataclass
from typing import Literal

from livermre.exam.errors import SettingsError

Method = Literal["helmholtz", "aide", "lfe", "gradient"]
METHODS: tuple[Method, ...] = ("helmholtz", "aide", "lfe", "gradient")


@dataclass(frozen=True)
class InversionSettings:
    """How acquired phase becomes stiffness. Lengths in mm in the image plane.

    The filter was chosen on one real exam (GE MR-Touch 2-D GRE, 60 Hz) and confirmed on simulation with bulk motion of
    2 to 4 times the shear amplitude: docs/physics.md tells the figures.
    """

    method: Method = "helmholtz"
    """helmholtz (default), or one to compare with: aide (plain direct inversion), lfe, gradient (phase gradient)."""

    frequencies_hz: tuple[float, ...] | None = None
    """Frequency of each entry of the frequency axis; None takes the exam's single frequency."""

    density_kg_m3: float = 1000.0
    """Density of tissue, by convention that of water."""

    reference_hz: float = 60.0
    """Frequency for which the filter lengths below hold; they go with 1 / frequency, as wavelengths do."""

    background_mm: float = 150.0
    """Motion smoother than this wavelength is taken off first, by a normalised convolution inside the body."""

    edge_mm: float = 5.0
    """Rim of the body that is left out: skin and outer fat shake most and would ring through every filter."""

    highpass_mm: float = 27.0
    """Wavelength at half gain of the high-pass that removes bulk motion, 1 / (1 + (wavelength / length) ^ order) ..."""

    highpass_order: float = 2.26
    """... and its steepness."""

    lowpass_mm: float = 17.5
    """Wavelength at half gain of the low-pass against noise, 1 / (1 + (length / wavelength) ^ order) ..."""

    lowpass_order: float = 3.27
    """... and its steepness."""

    wave_lowpass_mm: float = 5.0
    """Wavelength at half gain of the only filter on the vendor's waves, against their pixel noise."""

    wave_judged_mm: float = 14.0
    """The same for the confidence alone: with it the confident area is the vendor's from either start."""

    scales: tuple[float, ...] = (1.0, 1.25, 1.54, 2.0, 2.5)
    """Factors on both filter lengths that are tried: stiff tissue has longer waves. Each region of the slice takes the
    scale whose wave obeys the wave equation best and is as long as its high-pass; soft liver stays at 1."""

    scale_region_mm: float = 30.0
    """Standard deviation of the neighbourhood in which scales are compared."""

    scale_cost: float = 0.3
    """What an octave of a longer wave must gain in fit to be taken (bulk motion gains by it, too)."""

    scale_misfit: float = 1.0
    """What it costs in fit if the wave of a scale is an octave longer or shorter than its high-pass (times the square
    of the octaves): without it bulk motion and noise make a scale look good that bends the wave."""

    scale_softness: float = 0.01
    """Scales whose fit differs by less share the pixel."""

    directions: int = 4
    """Number of directional filters, each the squared cosine of a half-plane of wave vectors (four add up to one:
    Manduca et al. 2003, doi 10.1016/S1361-8415(03)00038-0); 0 leaves them out."""

    window_mm: float = 4.7
    """Standard deviation of the Gaussian window that the local fit of the wave equation averages over."""

    confidence_window_mm: float = 6.0
    """Standard deviation of the window that smooths the fit before it becomes confidence."""

    confidence_half: float = 0.351
    """Fit at which the confidence is a half ..."""

    confidence_power: float = 2.25
    """... and its steepness: confidence = 1 / (1 + (odds of half / odds of fit) ^ power). Both were read off the real
    exam: inside the liver as many pixels pass 0.8, 0.9, 0.95 and 0.98 as of the vendor's confidence."""

    least_harmonic_share: float = 0.6
    """Least share of the motion that the first harmonic must hold: four offsets in the wrong
    order give 1/2, the real exam 0.88 to 0.94."""

    most_roughness_rad: float = 0.65
    """Where phase steps between neighbours are larger on average it cannot be unwrapped: no confidence there. Empty air
    of the real exam gives 0.7 to 0.75, 99 % of the pixels that its vendor trusts lie below 0.62 to 0.84."""

    least_likeness: float = 0.5
    """An offset whose phase is this much rougher than the others' is taken as damaged (ratio of mean phase steps)."""

    grid_mm: float = 3.2
    """Coarsest grid of the fit: the filtered wave holds nothing shorter than a few of these."""

    def __post_init__(self) -> None:
        """Raise SettingsError for numbers that no inversion can have."""
        if self.method not in METHODS:
            raise SettingsError(f"inversion method must be one of {', '.join(METHODS)}, found {self.method!r}")
        for name in (
            "density_kg_m3",
            "highpass_mm",
            "highpass_order",
            "lowpass_mm",
            "lowpass_order",
            "background_mm",
            "reference_hz",
        ):
            value = getattr(self, name)
            if not 0 < value < float("inf"):
                raise SettingsError(f"{name} must be above zero, found {value}")
        if self.directions < 0 or self.directions == 1 or self.directions == 2:
            raise SettingsError(f"directions must be 0 or at least 3, found {self.directions}")
        if not self.scales or min(self.scales) <= 0:
            raise SettingsError(f"scales must be above zero, found {self.scales}")
        if self.frequencies_hz is not None and (not self.frequencies_hz or min(self.frequencies_hz) <= 0):
            raise SettingsError(f"frequencies_hz must be above zero, found {self.frequencies_hz}")
