"""The network of this process: loaded once, shared, and able to load while other things are read."""

from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock, Thread

from livermre.segment import Segmenter, load_segmenter
from livermre.segment.engine import Device

_LOCK = Lock()


def segmenter(model: str | Path, device: Device) -> Segmenter:
    """The segmenter of a model; raises ModelError where its weights cannot be used."""
    with _LOCK:  # who asks while it loads waits for it
        return _load(model, device)


@cache
def _load(model: str | Path, device: Device) -> Segmenter:
    return load_segmenter(model, device)


def begin_loading(model: str | Path, device: Device) -> None:
    """Load in the background: compiling the network takes a second in which Python can import and read files."""
    Thread(target=_try, args=(model, device), name="load network").start()


def _try(model: str | Path, device: Device) -> None:
    with suppress(Exception):  # who needs it asks again and hears what is wrong
        segmenter(model, device)
