"""Damage of every kind, in its short form: no crash, no hang, no memory, and the node is well afterwards."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom.makers import ge_product
from dicom.phantom import phantom
from livermre.apps.node import wire
from node import fuzzing
from node.made import image
from node.place import Here, config_file, send, until


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(wire.TRANSFER_SYNTAXES))
def test_any_bytes_for_a_header(data: bytes, syntax: str) -> None:
    with pytest.raises(wire.Unreadable):
        wire.header(data, syntax, "1.2.3")


@pytest.mark.parametrize(
    "data",
    [
        b"\x08\x00\x05\x10SQ\0\0\xff\xff\xff\xff" * 3000,  # sequences in sequences without end
        b"\x08\x00\x18\x00UI\xff\xff" + b"1" * 20,  # longer than what there is
        b"\x09\x00\x10\x00OB\0\0\xfe\xff\xff\xff",  # four gigabytes announced
        b"\xfe\xff\xdd\xe0\0\0\0\0" * 5000,
    ],
    ids=["deep", "long", "huge", "ends"],
)
def test_known_traps(data: bytes) -> None:
    """The corpus: what others' parsers fell over."""
    with pytest.raises(wire.Unreadable):
        wire.header(data, fuzzing.EXPLICIT, "1.2.3")


def test_damaged_headers_and_answers() -> None:
    found = fuzzing.headers(4, seed=1)
    assert not found.failures and found.tried > 20


@pytest.mark.slow
def test_damaged_files_for_the_reader(tmp_path: Path) -> None:
    exam = ge_product(phantom(slices=2, rows=48, columns=48)).write(tmp_path / "exam")
    found = fuzzing.reader(exam, 15, seed=1)
    assert not found.failures and found.tried > 5


@pytest.mark.slow
def test_damaged_messages_for_the_door(tmp_path: Path) -> None:
    """Afterwards the node takes a study, and what it acknowledged of the damaged ones is filed."""
    node = Here(config_file(tmp_path, receive="idle_seconds = 2\nmax_connections_per_minute = 100000"))
    try:
        found = fuzzing.door(node.port, 15, seed=1)
        assert found.tried > 10 and node.node.well()
        assert send(node.port, [image("after", 1)]) == [0]
        until(lambda: node.node.server.open_associations() == 0)
        rows = {r["name"] for r in node.node.journal.ask("SELECT name FROM instances")}
        assert {name for _, name in node.node.spool.stored()} == rows and not list(node.node.spool.incoming.iterdir())
        assert "event_instance_refused" in node.node.log.counts() or found.read
        assert np.isfinite(node.node.gauges()["largest_memory_bytes"])
    finally:
        node.stop()
