"""The bank of a synthetic run: real bodies, livers transplanted between them, and parametric anatomies."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from livermre.exam.errors import NothingFound, SettingsError
from livermre.simulate.anatomy import make_anatomy, random_plan
from livermre.train.bank import BankVolume, bank_volume
from livermre.train.shapes import Shape, build_bank, load_bank, save_bank

TRANSPLANTS, PARAMETRIC = 130, 290
_SHARE = {"body": 0.27, "transplant": 0.35, "parametric": 0.38}
"""How often each kind is drawn: few real bodies count for much, since they alone have real bowel and real livers."""
_ARTIST_MADE = "hra_"
"""Bodies of the Human Reference Atlas are smooth artist's shapes: drawn a third as often as scanned ones."""

Progress = Callable[[str, int, int], None]


def synthetic_bank(
    folder: Path,
    cache: Path,
    seed: int,
    progress: Progress,
    transplants: int = TRANSPLANTS,
    parametric: int = PARAMETRIC,
) -> list[Shape]:
    """All shapes of a run, built once and kept in the cache file; the same seed gives the same bank.

    Raises NothingFound for a folder without label maps, SettingsError where the cache was built from other label maps,
    another seed or other numbers of shapes.
    """
    made_from = {"labels": _fingerprint(folder), "seed": seed, "transplants": transplants, "parametric": parametric}
    record = cache.with_suffix(".json")
    if cache.exists():
        if not record.exists() or json.loads(record.read_text()) != made_from:
            raise SettingsError(f"{cache} was built from other label maps or another seed; use another --out")
        return load_bank(cache)
    progress("bodies", 0, 1)
    shapes = build_bank(folder, np.random.default_rng(seed), transplants)
    if not shapes:
        raise NothingFound(f"{folder} holds no label maps (.nii.gz with a labels.json, or TotalSegmentator's numbers)")
    for number in range(parametric):
        progress("anatomies", number, parametric)
        shapes.append(_parametric(number))
    save_bank(cache, shapes)
    record.write_text(json.dumps(made_from))
    return shapes


def _fingerprint(folder: Path) -> str:
    """SHA-256 over the names and bytes of all label maps."""
    sums = hashlib.sha256()
    for path in sorted(folder.rglob("*.nii*")):
        sums.update(path.relative_to(folder).as_posix().encode())
        sums.update(path.read_bytes())
    return sums.hexdigest()


def _parametric(number: int) -> Shape:
    rng = np.random.default_rng(number)
    anatomy = make_anatomy(random_plan(rng), rng)
    return Shape(f"parametric_{number:04d}", anatomy.labels, anatomy.spacing_mm)


def bank_and_weights(shapes: list[Shape], device: str = "cpu") -> tuple[list[BankVolume], torch.Tensor]:
    """Volumes as the sampler needs them and how often each is drawn, (N,) float summing to 1."""
    kinds = [_kind(s.name) for s in shapes]
    raw = np.array([1 / 3 if s.name.startswith(_ARTIST_MADE) else 1.0 for s in shapes])
    weights = np.zeros(len(shapes))
    for kind, share in _SHARE.items():
        own = np.array([k == kind for k in kinds])
        if own.any():
            weights[own] = share * raw[own] / raw[own].sum()
    return [bank_volume(s.labels, s.spacing_mm, device) for s in shapes], torch.from_numpy(
        weights / weights.sum()
    ).float()


def _kind(name: str) -> str:
    if name.startswith("parametric_"):
        return "parametric"
    return "transplant" if "+" in name else "body"
