"""The bank: bodies and transplants, built, saved and loaded."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from livermre.train.shapes.bodies import load_shapes
from livermre.train.shapes.donors import load_livers
from livermre.train.shapes.reading import three
from livermre.train.shapes.shape import Shape, ShapeError
from livermre.train.shapes.transplants import transplant


def _pairs(bodies: Sequence[Shape], donors: Sequence[Shape], rng: np.random.Generator) -> Iterator[tuple[Shape, Shape]]:
    """Endless body-donor pairs in random order, every pair once before any comes again."""
    pairs = [(body, donor) for body in bodies for donor in donors if body.name != donor.name]
    while pairs:
        for index in rng.permutation(len(pairs)):
            yield pairs[index]


def build_bank(folder: Path, rng: np.random.Generator, transplants: int) -> list[Shape]:
    """All bodies below a folder and a number of transplants among them and the liver mask sets there.

    Pairs that do not fit are passed over; raises ShapeError if so many fail that the number cannot be reached.
    """
    bodies = load_shapes(folder)
    whole = [body for body in bodies if body.complete_liver]
    made: list[Shape] = []
    failed = 0
    for body, donor in _pairs(whole, load_livers(folder) + whole, rng):
        if len(made) >= transplants:
            break
        try:
            made.append(transplant(body, donor, rng))
        except ShapeError:
            failed += 1
            if failed > 20 + 3 * transplants:
                raise
    return bodies + made


def save_bank(path: Path, shapes: Sequence[Shape]) -> None:
    """Writes shapes to a compressed npz file (plain arrays, no pickle)."""
    arrays: dict[str, Any] = {f"labels_{index:04d}": shape.labels for index, shape in enumerate(shapes)}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        names=np.array([shape.name for shape in shapes], dtype=np.str_),
        spacing_mm=np.array([shape.spacing_mm for shape in shapes], np.float64).reshape(-1, 3),
        complete_liver=np.array([shape.complete_liver for shape in shapes], bool),
        **arrays,
    )


def load_bank(path: Path) -> list[Shape]:
    """Shapes of a file that `save_bank` wrote; raises ShapeError if it is none."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            rows = zip(stored["names"], stored["spacing_mm"], stored["complete_liver"], strict=True)
            return [
                Shape(str(name), stored[f"labels_{index:04d}"], three(steps), bool(whole))
                for index, (name, steps, whole) in enumerate(rows)
            ]
    except (KeyError, ValueError, OSError) as error:
        raise ShapeError(f"{path.name} is no shape bank: {error}") from error
