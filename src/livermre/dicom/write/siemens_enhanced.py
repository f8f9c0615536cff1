"""Siemens enhanced (XA): one file each for magnitude, phase, stiffness, confidence and wave, series 20 to 24.

Frame type ELASTO and Complex Image Component as public sorting rules read them; the rest of the header as in real XA30
files of another method. Maps state kPa and percent by Real World Value Mappings; the phase scale is the classic one.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from livermre.dicom.write import pixels
from livermre.dicom.write.classic import Written
from livermre.dicom.write.enhanced import Look, enhanced, stack
from livermre.dicom.write.header import Maker
from livermre.dicom.write.order import SIMULATED, Order
from livermre.exam.errors import InputError

_MAGNITUDE = Look("ORIGINAL PRIMARY ELASTO NONE")
_PHASE = Look("ORIGINAL PRIMARY ELASTO NONE", "PHASE", (2.0, -4096.0))
_STIFFNESS = Look("DERIVED PRIMARY ELASTO STIFFNESS", unit="kPa", mapping=(0.001, 0.0), meaning="stiffness")
_CONFIDENCE = Look("DERIVED PRIMARY ELASTO CONFIDENCE", unit="%", mapping=(0.1, 0.0), meaning="confidence")
_WAVE = Look("DERIVED PRIMARY ELASTO WV", "PHASE", (1.0, -32768.0), meaning="shear wave")


def siemens_enhanced(order: Order) -> Iterator[Written]:
    """Every file of an enhanced Siemens exam. Raises InputError for several motion directions."""
    if order.directions != 1:
        raise InputError(f"the enhanced Siemens style holds one motion direction, the exam has {order.directions}")
    slices, gain = order.exam.slices, pixels.magnitude_gain(order.exam.magnitude, 4095)
    bright = [np.stack([pixels.magnitude(s.magnitude, gain, np.uint16)] * order.offsets) for s in slices]
    yield _file(order, 20, "magnitude", "", bright, _MAGNITUDE, 12)
    if order.has("phase_rad"):
        phase = [pixels.twelve_bit_phase(order.array(s, "phase_rad")[0, 0]) for s in slices]
        yield _file(order, 21, "phase", "", phase, _PHASE, 12)
    if order.has("stiffness_kpa"):
        kpa = [pixels.pascal(order.array(s, "stiffness_kpa"), np.uint16)[None] for s in slices]
        yield _file(order, 22, "stiffness", " Stiffness", kpa, _STIFFNESS)
    if order.has("confidence"):
        share = [pixels.permille(order.array(s, "confidence"), np.uint16)[None] for s in slices]
        yield _file(order, 23, "confidence", " ConfMap", share, _CONFIDENCE)
    if order.has("wave_rad"):
        wave = [pixels.half_turn_wave(order.array(s, "wave_rad")[0, 0]) for s in slices]
        yield _file(order, 24, "wave", " Wave", wave, _WAVE)


def _file(
    order: Order, number: int, content: str, name: str, images: Sequence[np.ndarray], look: Look, bits: int = 16
) -> Written:
    described = f"MRE{order.at_frequency}{name} {SIMULATED}"
    sequence = "*epseMRE" if order.protocol.spin_echo_epi else "*greMRE"
    frames = stack(order.exam.slices, images, look)
    maker = Maker("Siemens Healthineers")
    data = enhanced(order, maker, number, described, frames, sequence, 21 if order.has("phase_rad") else 20, bits)
    return f"s{number:04d}_{content}.dcm", data
