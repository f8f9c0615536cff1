"""Philips enhanced: magnitude and phase frames in one file (series 301), stiffness in 302, confidence 303, wave 304.

Image types as public sorting rules read them. What a value means is said twice, as Philips does: the pixel value
transformation gives the displayed number, the Real World Value Mapping the same with its unit (mrad, Pa, %).
"""

from collections.abc import Iterator, Sequence

import numpy as np

from livermre.dicom.write import pixels
from livermre.dicom.write.classic import Written
from livermre.dicom.write.enhanced import Frame, Look, enhanced, stack
from livermre.dicom.write.header import Maker
from livermre.dicom.write.order import SIMULATED, Order
from livermre.exam.errors import InputError

_TURN = (2000.0 * np.pi / 4096.0, -1000.0 * np.pi)  # milliradian of twelve bits
_PHASE = Look("ORIGINAL PRIMARY P MRE", "PHASE", _TURN, "mrad", _TURN, "phase")
_STIFFNESS = Look("DERIVED PRIMARY STIFFNESS NONE", unit="Pa", meaning="stiffness")
_CONFIDENCE = Look(
    "DERIVED PRIMARY CONFIDENCE NONE", rescale=(0.1, 0.0), unit="%", mapping=(0.1, 0.0), meaning="confidence"
)
_WAVE = Look("DERIVED PRIMARY WAVE NONE", "PHASE", (1.0, -32768.0), "mrad", (1.0, -32768.0), "shear wave")


def philips_enhanced(order: Order) -> Iterator[Written]:
    """Every file of an enhanced Philips exam. Raises InputError for several motion directions."""
    if order.directions != 1:
        raise InputError(f"the Philips style holds one motion direction, the exam has {order.directions}")
    slices = order.exam.slices
    yield _file(order, 301, "magnitude_and_phase", "", _acquired(order), 12)
    if order.has("stiffness_kpa"):
        kpa = [pixels.pascal(order.array(s, "stiffness_kpa"), np.uint16)[None] for s in slices]
        yield _file(order, 302, "stiffness", " Stiffness", stack(slices, kpa, _STIFFNESS))
    if order.has("confidence"):
        share = [pixels.permille(order.array(s, "confidence"), np.uint16)[None] for s in slices]
        yield _file(order, 303, "confidence", " Confidence", stack(slices, share, _CONFIDENCE))
    if order.has("wave_rad"):
        wave = [_wave(order.array(s, "wave_rad")[0, 0]) for s in slices]
        yield _file(order, 304, "wave", " Wave", stack(slices, wave, _WAVE))


def _acquired(order: Order) -> list[Frame]:
    slices, gain = order.exam.slices, pixels.magnitude_gain(order.exam.magnitude, 4095)
    bright = [np.stack([pixels.magnitude(s.magnitude, gain, np.uint16)] * order.offsets) for s in slices]
    look = Look(f"ORIGINAL PRIMARY M {_echo(order)}", unit="1", meaning="signal")  # every frame of a file has one
    frames = stack(slices, bright, look)
    if order.has("phase_rad"):
        phase = [pixels.twelve_bit_phase(order.array(s, "phase_rad")[0, 0]) for s in slices]
        frames += stack(slices, phase, _PHASE)
    return frames


def _wave(wave_rad: np.ndarray) -> np.ndarray:
    return (pixels.milliradian_wave(wave_rad).astype(np.int32) + 32768).astype(np.uint16)


def _file(order: Order, number: int, content: str, name: str, frames: Sequence[Frame], bits: int = 16) -> Written:
    described = f"MRE{order.at_frequency}{name} {SIMULATED}"
    maker = Maker("Philips Medical Systems")
    data = enhanced(order, maker, number, described, frames, _echo(order), 301, bits)
    return f"s{number:04d}_{content}.dcm", data


def _echo(order: Order) -> str:
    return "SE" if order.protocol.spin_echo_epi else "FFE"
