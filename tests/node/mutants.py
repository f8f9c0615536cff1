"""Changed DICOM files for the fuzzing: harm to the bytes, or one header attribute made what no scanner writes."""

import warnings
from collections.abc import Iterator
from io import BytesIO

import numpy as np
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from dicom.damage import damaged

_NUMBERS = (0, 1, 2, 3, 7, 16, 255, 32767, 65535)
_TEXTS = ("", "0", "1", "-1", "1e39", "1e-39", "nan", "inf", "0\\0", "1\\0\\0\\0\\1\\0", "99999999", "-0.0", "ORIGINAL",
          "1.2.3", "60 Hz", "Pa", "kPa", "\0", "x" * 64, "ä\\\\ö", "M\\PHASE", "STIFFNESS", "20261301")  # fmt: skip
_BINARY = {"US": 65535, "SS": 32767, "UL": 2**32 - 1, "SL": 2**31 - 1, "FL": None, "FD": None, "AT": None}


def mutant(content: bytes, rng: np.random.Generator) -> bytes:
    """A changed file, the same for the same generator; one in three by its bytes, the others by its attributes."""
    content = content or b"\0\0"
    if rng.random() < 0.35:
        return damaged(content, rng)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ds = dcmread(BytesIO(content), force=True)
            for _ in range(int(rng.integers(1, 4))):
                _change(ds, rng)
            out = BytesIO()
            dcmwrite(out, ds)
            return out.getvalue()
        except Exception:  # a file that is damaged already
            return damaged(content, rng)


def _places(ds: Dataset, depth: int = 0) -> Iterator[tuple[Dataset, BaseTag]]:
    for tag in list(ds.keys()):
        yield ds, tag
        if depth < 4 and ds[tag].VR == "SQ":
            for item in ds[tag].value or ():
                yield from _places(item, depth + 1)


def _change(ds: Dataset, rng: np.random.Generator) -> None:
    places = list(_places(ds))
    owner, tag = places[int(rng.integers(len(places)))]
    kind = rng.integers(5)
    if kind == 0:
        del owner[tag]
        return
    element = owner[tag]
    if element.VR == "SQ":
        items = list(element.value or ())
        at = int(rng.integers(len(items))) if items else 0
        element.value = [items[:at] + items[at + 1 :], items + items[at : at + 1], items[::-1], []][int(kind) - 1]
    elif element.VR in ("FL", "FD"):
        element.value = [0.0, -1.0, float("nan"), float("inf"), 1e-30, [1.0, 2.0]][int(rng.integers(6))]
    elif element.VR in _BINARY:
        element.value = min(int(rng.choice(_NUMBERS)), _BINARY[element.VR] or 0)
    elif isinstance(element.value, bytes):
        element.value = element.value[: int(rng.integers(len(element.value) + 1)) & ~1]
    else:
        element.value = str(rng.choice(_TEXTS))
