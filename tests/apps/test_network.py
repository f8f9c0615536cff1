"""The network is loaded once, whoever asks, and a failed loading is heard by who needs it."""

import threading
import time

import pytest

from livermre import network
from livermre.exam.errors import ModelError

HONEST = network.begin_loading


@pytest.fixture(autouse=True)
def nothing_loaded():
    network._load.cache_clear()
    yield
    network._load.cache_clear()


def test_once_while_others_wait(monkeypatch):
    calls = []

    def slow(model, device):
        calls.append(model)
        time.sleep(0.05)
        return object()

    monkeypatch.setattr(network, "load_segmenter", slow)
    HONEST("default", "cpu")
    assert network.segmenter("default", "cpu") is network.segmenter("default", "cpu")
    assert calls == ["default"]


def test_a_failure_in_the_background_is_told_in_the_foreground(monkeypatch, capsys):
    def broken(model, device):
        raise ModelError("no weights")

    monkeypatch.setattr(network, "load_segmenter", broken)
    HONEST("default", "cpu")
    for thread in [t for t in threading.enumerate() if t.name == "load network"]:
        thread.join()
    assert capsys.readouterr().err == ""
    with pytest.raises(ModelError, match="no weights"):
        network.segmenter("default", "cpu")
