"""Fuzzing that is guided by coverage: an input that reaches lines that none before it reached is kept and changed.

The lines are those of chosen folders, told by sys.settrace; no library is needed for it. Where atheris is installed,
benchmarks/fuzz.py gives the same targets to libFuzzer instead.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Protocol

import numpy as np

import livermre
from node.found import Found

SOURCES = str(Path(livermre.__file__).parent)


class Target(Protocol):
    """What is fuzzed. `run` returns, or raises what must not be; it may return a sentence about a wrong answer."""

    name: str
    seeds: list[bytes]

    def run(self, data: bytes) -> str:
        """Try one input; what is wrong with the answer, or nothing."""

    def mutate(self, data: bytes, rng: np.random.Generator) -> bytes:
        """Another input, made from one that is there."""


class Lines:
    """Which lines of a folder's files were reached; `new` tells of the last step only."""

    def __init__(self, under: str = SOURCES) -> None:
        self._under = under
        self._ours: dict[CodeType, bool] = {}
        self._seen: set[tuple[CodeType, int, int]] = set()
        self._last: dict[int, int] = {}
        self.new = 0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count what is new while this lasts, in this thread and in those that begin meanwhile."""
        self.new, before = 0, sys.gettrace()
        sys.settrace(self._call)
        threading.settrace(self._call)
        try:
            yield
        finally:
            sys.settrace(before)
            threading.settrace(None)  # type: ignore[arg-type]

    def _call(self, frame: FrameType, event: str, argument: Any) -> Callable | None:
        code = frame.f_code
        ours = self._ours.get(code)
        if ours is None:
            ours = self._ours[code] = code.co_filename.startswith(self._under)
        if not ours:
            return None
        before = 0

        def line(frame: FrameType, event: str, argument: Any) -> Callable:
            nonlocal before
            step = (code, before, frame.f_lineno if event == "line" else -frame.f_lineno)
            before = frame.f_lineno
            if step not in self._seen:
                self._seen.add(step)
                self.new += 1
            return line

        return line

    def __len__(self) -> int:
        return len(self._seen)


def guided(target: Target, seconds: float, seed: int, least: int = 0) -> Found:
    """A campaign: every seed once, then changed ones, `least` of them however slow the machine is.

    Half of the choices fall on the newest of what was kept.
    """
    found, lines = Found(), Lines()
    end = time.monotonic() + seconds
    corpus: list[bytes] = []
    for data in target.seeds:
        attempt(target, data, found, f"{target.name} seed file {len(corpus)}", lines)
        corpus.append(data)
    whole = len(corpus)
    while time.monotonic() < end or found.tried < whole + least:
        rng = np.random.default_rng([seed, found.tried])
        data = target.mutate(_chosen(corpus, whole, rng), rng)
        if attempt(target, data, found, f"{target.name} seed {seed} step {found.tried}", lines):
            corpus.append(data)
    found.kept, found.lines = len(corpus) - whole, len(lines)
    return found


def _chosen(corpus: Sequence[bytes], whole: int, rng: np.random.Generator) -> bytes:
    newest = corpus[max(whole, len(corpus) - 50) :]
    pool = newest if newest and rng.random() < 0.5 else corpus
    return pool[int(rng.integers(len(pool)))]


def attempt(target: Target, data: bytes, found: Found, name: str, lines: Lines | None = None) -> bool:
    """One input: what goes wrong is written down with the input itself; whether it reached something new."""
    began, wrong = time.process_time(), ""
    try:
        if lines is None:
            wrong = target.run(data)
        else:
            with lines.watching():
                wrong = target.run(data)
    except Exception as error:
        wrong = f"{type(error).__name__}: {error}"
    wrong = found.step(name, time.process_time() - began) or wrong
    if wrong:
        found.fail(f"{name}: {wrong}", data)
    return lines is not None and lines.new > 0
