"""The network is loaded once, whoever asks, and a failed loading is heard by who needs it."""

import threading
import time
from pathlib import Path

import pytest

from livermre import network
from livermre.exam.errors import ModelError
from livermre.exam.types import ModelCard
from livermre.segment import ModelFile

HONEST = network.begin_loading


@pytest.fixture(autouse=True)
def nothing_loaded():
    network._load.cache_clear()
    network._find.cache_clear()
    yield
    network._load.cache_clear()
    network._find.cache_clear()


@pytest.fixture
def calls(monkeypatch) -> list[str]:
    """What is done to a model, each as slow as it is in truth compared with asking for it."""
    done: list[str] = []

    def find(model):
        done.append("hash")
        time.sleep(0.05)
        return ModelFile(Path(model), ModelCard("net", "1", "1" * 64), 6.0, 1)

    def load(file, device):
        done.append("compile")
        time.sleep(0.05)
        return object()

    monkeypatch.setattr(network, "find_model", find)
    monkeypatch.setattr(network, "load_engine", load)
    return done


def test_once_while_others_wait(calls):
    HONEST("default", "cpu")
    assert network.segmenter("default", "cpu") is network.segmenter("default", "cpu")
    assert calls == ["hash", "compile"]


def test_the_card_costs_one_hash_in_a_process(calls):
    HONEST("default", "cpu")
    assert network.model_card("default").sha256 == "1" * 64
    assert network.model_card("default") == network.segmenter("default", "cpu").model.card
    assert calls == ["hash", "compile"]


def test_a_failure_in_the_background_is_told_in_the_foreground(monkeypatch, capsys):
    def broken(model):
        raise ModelError("no weights")

    monkeypatch.setattr(network, "find_model", broken)
    HONEST("default", "cpu")
    for thread in [t for t in threading.enumerate() if t.name == "load network"]:
        thread.join()
    assert capsys.readouterr().err == ""
    with pytest.raises(ModelError, match="no weights"):
        network.segmenter("default", "cpu")
