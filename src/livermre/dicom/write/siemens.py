"""Siemens classic (VB to VE): magnitude in series 20, phase in 21, stiffness in 22, confidence in 23, wave in 24.

Scale of the phase as read on one real exam (12 bit, slope 2, intercept -4096, a half turn at 4096), and so the comment
that tells direction and offset. No real exam with maps is known to us: they state their units.
"""

from collections.abc import Iterator
from itertools import count, product

import numpy as np

from livermre.dicom.write import pixels
from livermre.dicom.write.classic import Classic, Series, Written
from livermre.dicom.write.header import Maker
from livermre.dicom.write.order import SIMULATED, Order
from livermre.exam.types import Slice

PHASE_SCALE = ("2", "-4096", "US")
WAVE_SCALE = ("1", "-32768", "US")
_AXES = ("az[0]po[90]", "az[90]po[90]", "az[0]po[0]")  # left-right, front-back, head-foot


def siemens(order: Order) -> Iterator[Written]:
    """Every image of a classic Siemens exam."""
    slices = order.exam.slices
    yield from _magnitude(order, slices)
    if order.has("phase_rad"):
        series = _series(order, 21, "phase", "ORIGINAL PRIMARY P ND", "", PHASE_SCALE, 12)
        yield from _offsets(order, slices, series, "phase_rad")
    if order.has("stiffness_kpa"):
        series = _series(order, 22, "stiffness", "DERIVED PRIMARY M ND", " Stiffness", ("1", "0", "Pa"))
        for n, s in enumerate(slices, start=1):
            yield series.image(n, s.plane, pixels.pascal(order.array(s, "stiffness_kpa"), np.uint16))
    if order.has("confidence"):
        series = _series(order, 23, "confidence", "DERIVED PRIMARY M ND", " ConfMap", ("0.1", "0", "%"))
        for n, s in enumerate(slices, start=1):
            yield series.image(n, s.plane, pixels.permille(order.array(s, "confidence"), np.uint16))
    if order.has("wave_rad"):
        series = _series(order, 24, "wave", "DERIVED PRIMARY P ND WV", " Wave", WAVE_SCALE)
        yield from _offsets(order, slices, series, "wave_rad")


def _series(
    order: Order,
    number: int,
    content: str,
    image_type: str,
    name: str,
    rescale: tuple[str, str, str] | None = None,
    bits: int = 16,
) -> Classic:
    described = f"mre{order.at_frequency}{name} {SIMULATED}"
    made = Classic(
        order, Maker("SIEMENS"), Series(number, content, image_type, described, SIMULATED, rescale, bits=bits)
    )
    made.common.SequenceName = "epseMRE" if order.protocol.spin_echo_epi else "*greMRE2d1"
    return made


def _magnitude(order: Order, slices: tuple[Slice, ...]) -> Iterator[Written]:
    series = _series(order, 20, "magnitude", "ORIGINAL PRIMARY M ND", "", bits=12)
    gain = pixels.magnitude_gain(order.exam.magnitude, 4095)
    numbers = count(1)
    for s in slices:
        stored = pixels.magnitude(s.magnitude, gain, np.uint16)
        for d, o in product(range(order.directions), range(order.offsets)):
            yield series.image(next(numbers), s.plane, stored, _index(order, d, o))


def _offsets(order: Order, slices: tuple[Slice, ...], series: Classic, name: str) -> Iterator[Written]:
    scaled = pixels.twelve_bit_phase if name == "phase_rad" else pixels.half_turn_wave
    numbers = count(1)
    for s in slices:
        stored = scaled(order.array(s, name)[0])
        for d, o in np.ndindex(stored.shape[:2]):
            yield series.image(next(numbers), s.plane, stored[d, o], _index(order, d, o))


def _index(order: Order, direction: int, offset: int) -> str:
    """Image Comments that tell frequency, direction (and its angles), offset and vibration period in microseconds."""
    axis = _AXES[direction] if order.directions == 3 else _AXES[2]
    hz = order.exam.acquisition.frequency_hz
    period = "" if hz is None else f"VP[{round(1e6 / hz)}]"
    return f"MRE: fI[0]dI[{direction}]{axis}tI[{offset}]{period}"
