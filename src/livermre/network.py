"""The network of this process: checked and loaded once, shared, and able to load while other things are read."""

from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock, Thread

from livermre.exam.types import ModelCard
from livermre.segment import ModelFile, Segmenter, find_model
from livermre.segment.engine import Device, load_engine

_LOCK, _FILE_LOCK = Lock(), Lock()


def segmenter(model: str | Path, device: Device) -> Segmenter:
    """The segmenter of a model; raises ModelError where its weights cannot be used."""
    with _LOCK:  # who asks while it loads waits for it
        return _load(model, device)


def model_card(model: str | Path) -> ModelCard:
    """Name, version and hash of a model, its weights hashed once a process; ModelError where they cannot be used."""
    return _file(model).card


def _file(model: str | Path) -> ModelFile:
    with _FILE_LOCK:
        return _find(model)


@cache
def _find(model: str | Path) -> ModelFile:
    return find_model(model)


@cache
def _load(model: str | Path, device: Device) -> Segmenter:
    file = _file(model)
    return Segmenter(file, load_engine(file, device))


def begin_loading(model: str | Path, device: Device) -> None:
    """Load in the background: compiling the network takes a second in which Python can import and read files."""
    Thread(target=_try, args=(model, device), name="load network").start()


def _try(model: str | Path, device: Device) -> None:
    with suppress(Exception):  # who needs it asks again and hears what is wrong
        segmenter(model, device)
