"""Damage of every kind, in its short form: no crash, no hang, no memory, and the node is well afterwards."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from dicom.makers import VENDORS, ge_product
from dicom.objects import cases
from dicom.phantom import phantom
from dicom.write.exams import exam
from livermre.apps.node import wire
from livermre.dicom import read_folder
from livermre.dicom.files import open_file
from livermre.exam.errors import CorruptFile
from livermre.exam.study import ReadOptions
from node import fuzzing
from node.guided import guided
from node.made import image
from node.mask_files import mask_files
from node.mutants import mutant
from node.place import Here, config_file, send


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


@pytest.mark.parametrize("runs", [40, 0], ids=["too long", "too short"])
def test_run_lengths_that_hold_more_or_less_than_the_image(runs: int, tmp_path: Path) -> None:
    """Found by the fuzzing: a decoder written in Rust panics on too much, and its PanicException is no Exception."""
    folder = ge_product(phantom(slices=2, rows=32, columns=32)).write(tmp_path / "exam")
    path = next(p for p in sorted(folder.iterdir()) if "iffness" in dcmread(p).get("ImageComments", ""))
    ds = dcmread(path)
    segment = b"\x81\x00" * runs  # runs of 128 bytes; a segment has 1024
    header = b"".join(n.to_bytes(4, "little") for n in (2, 64, 64 + len(segment), *[0] * 13))
    ds.PixelData, ds["PixelData"].is_undefined_length = encapsulate([header + 2 * segment]), True
    ds.file_meta.TransferSyntaxUID = RLELossless
    ds.save_as(path)
    reading = read_folder([folder], ReadOptions())
    told = [*map(str, reading.failures), *(f.message for s in reading.studies for f in s.exam.flags)]
    assert any("cannot be decoded" in t or "could not be read" in t or "damaged" in t for t in told), told


@pytest.mark.parametrize("style", ["siemens-xa", "mmdi-3d"])
def test_a_mapping_with_two_slopes_is_a_damaged_image(style: str, tmp_path: Path) -> None:
    """Found by the fuzzing: a list where a number should be. Without its mapping an image is in another unit."""
    folder = next(v for v in VENDORS if v.name == style).make(phantom(slices=1)).write(tmp_path / "exam")
    changed = 0
    for path in folder.iterdir():
        ds = dcmread(path)
        for sequence in [e for e in ds.iterall() if e.keyword == "RealWorldValueMappingSequence"]:
            for item in sequence.value:
                item.RealWorldValueSlope, changed = [1.0, 2.0], changed + 1
        ds.save_as(path)
    assert changed
    try:
        (study,) = read_folder([folder], ReadOptions()).studies
    except CorruptFile as error:
        assert style == "mmdi-3d" and "has a damaged mapping to real values (TypeError)" in str(error)
    else:
        assert study.exam.stiffness_kpa is None and "damaged_files" in {f.code for f in study.exam.flags}


@pytest.mark.parametrize("behind", [0, 30], ids=["file meta information", "Image Type"])
@pytest.mark.parametrize("syntax", [None, RLELossless])
def test_a_file_that_ends_before_it_says_what_it_is(syntax: str | None, behind: int, tmp_path: Path) -> None:
    """Found by the fuzzing: cut just before its SOP class, an image was taken for an object without one."""
    folder = ge_product(phantom(slices=2, rows=32, columns=32)).write(tmp_path / "exam")
    path = next(p for p in sorted(folder.iterdir()) if "iffness" in dcmread(p).get("ImageComments", ""))
    ds = dcmread(path)
    if syntax:
        ds.compress(syntax, generate_instance_uid=False)
        ds.save_as(path)
    ds = Dataset()
    ds.file_meta, ds.ImageType = dcmread(path).file_meta, ["ORIGINAL", "PRIMARY", "OTHER"]  # 30 bytes
    ds.save_as(path, enforce_file_format=True)
    path.write_bytes(path.read_bytes()[: 132 + 12 + int(ds.file_meta.FileMetaInformationGroupLength) + behind])
    with pytest.raises(CorruptFile, match="cut short"):
        open_file(path)


def test_damaged_headers_and_answers() -> None:
    found = guided(fuzzing.Parsers(), 6, seed=1, least=20)
    assert not found.failures and found.kept


def test_a_mutant_is_another_file_and_the_same_one_again() -> None:
    out = BytesIO()
    dcmwrite(out, image("mutant", 1), enforce_file_format=True)
    content = out.getvalue()
    made = [mutant(content, np.random.default_rng([1, n])) for n in range(40)]
    assert made == [mutant(content, np.random.default_rng([1, n])) for n in range(40)]
    assert sum(m != content for m in made) > 35 and len(set(made)) > 30


@pytest.mark.slow
def test_damaged_files_for_the_reader(tmp_path: Path) -> None:
    target = fuzzing.Reader(tmp_path, styles=("ge-product", "siemens-xa", "philips-enhanced"))
    found = guided(target, 20, seed=1, least=20)
    assert not found.failures and target.read > len(target.seeds) and found.kept


@pytest.mark.slow
def test_damaged_masks(tmp_path: Path) -> None:
    study = cases.simulated(exam(slices=2), tmp_path / "exam")
    (tmp_path / "masks").mkdir()
    target = fuzzing.Masks(study, mask_files(study, tmp_path / "masks"), tmp_path)
    found = guided(target, 10, seed=1, least=20)
    assert not found.failures and found.kept and target.read >= 4


@pytest.mark.slow
def test_damaged_messages_for_the_door(tmp_path: Path) -> None:
    """Afterwards the node takes a study, and what it acknowledged of the damaged ones is filed."""
    limits = "idle_seconds = 2\nmax_connections_per_minute = 100000\nmax_associations = 50"
    node = Here(config_file(tmp_path, receive=limits))
    try:
        target = fuzzing.Door(node.port)
        found = guided(target, 24, seed=1, least=20)
        assert not found.failures and found.kept and node.node.well()
        assert fuzzing.settled(node.node.server.open_associations)
        assert send(node.port, [image("after", 1)]) == [0]
        rows = {r["name"] for r in node.node.journal.ask("SELECT name FROM instances")}
        assert {name for _, name in node.node.spool.stored()} == rows and not list(node.node.spool.incoming.iterdir())
        assert "event_instance_refused" in node.node.log.counts() or target.read
        assert np.isfinite(node.node.gauges()["largest_memory_bytes"])
    finally:
        node.stop()
