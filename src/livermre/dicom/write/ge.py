"""GE product MR-Touch: acquired phase then magnitude in series 5; maps in 500, wave in 505, confidence in 507.

As read on one real exam at 1.5 T: no rescale tags, nothing but order and signs tells phase from magnitude, Instance
Numbers are slice-major from the head, a map carries the number of the first wave image of its slice, and the wave has
eight offsets whatever was acquired.
"""

from collections.abc import Iterator
from itertools import count

import numpy as np

from livermre.dicom.write import pixels
from livermre.dicom.write.classic import Classic, Series, Written
from livermre.dicom.write.header import Maker
from livermre.dicom.write.letters import burn_in
from livermre.dicom.write.order import SIMULATED, Order
from livermre.exam.errors import InputError
from livermre.exam.types import Slice

_DERIVED = "DERIVED SECONDARY PROCESSED"
_WAVES = 8


def ge(order: Order) -> Iterator[Written]:
    """Every image of a GE exam. Raises InputError without phase, or with several motion directions (product is 2-D)."""
    slices = order.exam.slices[::-1]
    if not order.has("phase_rad"):
        raise InputError("a GE MR-Touch series holds phase and magnitude, but the exam has no phase")
    if order.directions != 1:
        raise InputError(f"GE MR-Touch encodes one motion direction, the exam has {order.directions}")
    yield from _acquired(order, slices)
    if order.has("stiffness_kpa"):
        yield from _maps(order, slices, 500, "Stiffness", (4000, 8000))
    if order.has("wave_rad"):
        yield from _wave(order, slices)
    if order.has("confidence"):
        yield from _maps(order, slices, 507, "Confidence", (950, 100))


def _series(order: Order, series: Series) -> Classic:
    made = Classic(order, Maker("GE MEDICAL SYSTEMS"), series)
    made.common.private_block(0x0019, "GEMS_ACQU_01", create=True).add_new(0x9C, "LO", "MR-Touch")
    if order.exam.acquisition.frequency_hz is not None:
        block = made.common.private_block(0x0043, "GEMS_PARM_01", create=True)
        block.add_new(0xA2, "DS", [f"{order.exam.acquisition.frequency_hz:g}", "4"])  # as on the real exam
    return made


def _acquired(order: Order, slices: tuple[Slice, ...]) -> Iterator[Written]:
    described = f"MR-Touch {SIMULATED}"
    series = _series(
        order, Series(5, "phase_and_magnitude", "ORIGINAL PRIMARY OTHER", described, SIMULATED, signed=True)
    )
    gain = pixels.magnitude_gain(order.exam.magnitude, 32767)
    numbers = count(1)
    for s in slices:
        for stored in pixels.ge_phase(order.array(s, "phase_rad")[0, 0]):
            yield series.image(next(numbers), s.plane, stored)
    for s in slices:
        stored = pixels.magnitude(s.magnitude, gain, np.int16)
        for _ in range(order.offsets):
            yield series.image(next(numbers), s.plane, stored)


def _wave(order: Order, slices: tuple[Slice, ...]) -> Iterator[Written]:
    series = _derived(order, 505, "Shear Wave", (0, 10000))
    numbers = count(1)
    for s in slices:
        for stored in pixels.milliradian_wave(pixels.eight_offsets(order.array(s, "wave_rad"))[0, 0]):
            yield series.image(next(numbers), s.plane, stored)


def _derived(order: Order, number: int, kind: str, window: tuple[int, int]) -> Classic:
    content = kind.lower().split()[-1]
    words = f"{kind} {SIMULATED}"
    return _series(order, Series(number, content, _DERIVED, words, words, window=window, signed=True))


def _maps(
    order: Order, slices: tuple[Slice, ...], number: int, kind: str, window: tuple[int, int]
) -> Iterator[Written]:
    series = _derived(order, number, kind, window)
    for i, s in enumerate(slices):
        if kind == "Confidence":
            stored = pixels.permille(order.array(s, "confidence"), np.int16)
        else:
            stored = pixels.pascal(order.array(s, "stiffness_kpa"), np.int16)
            stored = burn_in(stored) if order.burned_in else stored
        yield series.image(1 + _WAVES * i, s.plane, stored)
