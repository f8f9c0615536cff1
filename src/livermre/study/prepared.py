"""What training and figures need of an exam, kept in DIR/prepared/: magnitude and reference, no other map."""

import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from livermre.exam.atomic import write_bytes
from livermre.exam.errors import CorruptFile
from livermre.exam.plane import Plane
from livermre.exam.types import Acquisition, Exam, Slice
from livermre.results import make_folder
from livermre.study.reading import Loaded

FOLDER = "prepared"
_TOP = 1000.0  # magnitudes are kept as float16 with their largest value here: eleven bits, more than a scanner's


@dataclass(frozen=True)
class Prepared:
    """Magnitude of an exam on its own pixels, and the reference (S, R, C) bool."""

    name: str
    exam: Exam = field(repr=False)
    liver: np.ndarray = field(repr=False)


def keep(name: str, loaded: Loaded, out: Path) -> None:
    """Write DIR/prepared/NAME.npz, whole or not at all."""
    make_folder(out / FOLDER)
    magnitude = np.nan_to_num(loaded.exam.magnitude)
    planes = [s.plane for s in loaded.exam.slices]
    places = [[*p.spacing_mm, *p.origin_mm, *p.to_next_row, *p.to_next_column, p.thickness_mm] for p in planes]
    data = io.BytesIO()
    np.savez_compressed(
        data,
        magnitude=(magnitude * (_TOP / max(float(magnitude.max()), 1e-9))).astype(np.float16),
        liver=np.packbits(loaded.liver),
        places=np.array(places, dtype=np.float64),
    )
    write_bytes(out / FOLDER / f"{name}.npz", data.getvalue())


def read(name: str, out: Path) -> Prepared:
    """What `keep` wrote; CorruptFile where it is gone or damaged."""
    path = out / FOLDER / f"{name}.npz"
    try:
        with np.load(path, allow_pickle=False) as kept:
            magnitude, packed, places = (kept[k] for k in ("magnitude", "liver", "places"))
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise CorruptFile(f"{FOLDER}/{path.name} is missing or damaged: remove the folder of the study") from error
    liver = np.unpackbits(packed, count=magnitude.size).reshape(magnitude.shape).astype(bool)
    slices = tuple(Slice(_plane(p, m.shape), m.astype(np.float32)) for p, m in zip(places, magnitude, strict=True))
    return Prepared(name, Exam(slices, Acquisition("unknown"), name), liver)


def _plane(place: np.ndarray, shape: tuple[int, int]) -> Plane:
    n = place.tolist()
    return Plane(shape, (n[0], n[1]), tuple(n[2:5]), tuple(n[5:8]), tuple(n[8:11]), n[11])  # type: ignore[arg-type]
