"""What a person sees in the terminal."""

import io
import sys

import pytest

from livermre.apps import console
from livermre.exam.errors import InputError
from livermre.results import Outcome, error_row


def told(outcome: Outcome, capsys: pytest.CaptureFixture) -> str:
    with console.progress_bar(1) as bar:
        bar.step([outcome])
    return capsys.readouterr().err.strip()


@pytest.mark.parametrize(
    ("exam", "message", "words"),
    [
        ("scan", "scan holds no files", "livermre: scan holds no files"),
        ("scan", "scan-2 holds no files", "livermre: scan: scan-2 holds no files"),
        ("scan", "scan/x is cut short", "livermre: scan: scan/x is cut short"),
        ("scan", "series 5 is cut short", "livermre: scan: series 5 is cut short"),
    ],
)
def test_a_name_is_said_once(capsys, exam, message, words):
    assert told(Outcome(exam, "failed", error_row(exam, message), message), capsys) == words


def test_no_bar_before_any_work(capsys):
    with pytest.raises(InputError), console.training_bar():
        raise InputError("no label maps")
    assert capsys.readouterr().err == ""


def test_the_bar_of_a_training(capsys):
    with console.training_bar() as report:
        report("loss 0.5", 3, 10)
    assert "3/10" in capsys.readouterr().err


def test_a_terminal_without_the_signs(monkeypatch):
    """An old terminal gets plain signs, not an error."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    console.say("2.10–2.30 kPa, 3 cm² ± 1")
    stream.seek(0)
    assert stream.read() == "2.10-2.30 kPa, 3 cm2 +- 1\n"
