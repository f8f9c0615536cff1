"""Ways in which files come to harm."""

import numpy as np


def damaged(data: bytes, rng: np.random.Generator, header: int = 4500) -> bytes:
    """One kind of harm at random: cut short, bits flipped in the header or anywhere, bytes lost, zeroed or repeated.

    header  how many bytes at the start count as header
    """
    kind = rng.integers(7)
    header = min(len(data), header)
    if kind == 0:
        return data[: rng.integers(len(data))]
    if kind == 1:
        return data[: rng.integers(min(len(data), 6000))]
    if kind in (2, 3):
        return _flipped(data, rng, header if kind == 2 else len(data), int(rng.integers(1, 60)))
    start = int(rng.integers(header))
    length = int(rng.integers(1, 64))
    if kind == 4:
        return data[:start] + data[start + length :]
    if kind == 5:
        return data[:start] + bytes(length) + data[start + length :]
    return data[:start] + data[start : start + length] + data[start:]


def _flipped(data: bytes, rng: np.random.Generator, within: int, count: int) -> bytes:
    changed = bytearray(data)
    for place in rng.integers(0, within, count):
        changed[place] ^= 1 << int(rng.integers(8))
    return bytes(changed)
