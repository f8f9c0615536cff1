"""The pages: what a person may find on them, and what never."""

import io
import re
import zlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from livermre.exam.errors import OutputError
from livermre.exam.flags import flag, known_flags
from livermre.exam.types import Acquisition, Identity
from livermre.report import render_html, render_overlay, render_pdf, write
from livermre.report.colours import LIVER, rgb
from livermre.report.pictures import confidence_threshold, pictures
from livermre.report.png import encode
from livermre.report.sheet import Sheet
from livermre.report.tiles import tiles
from report.cases import CHANGE, HOSTILE, blocked, disc, finding, unmeasured

WHO = Identity("MRN-0048/2231", "20240611")
NUMBER = re.compile(r"\d+\.\d\d?\s*(?:<[^>]*>\s*)*kPa|\d\.\d\d(?!\d)")
MANY = tuple(flag(code, **dict.fromkeys(re.findall(r"{(\w+)", text), 7)) for code, (_, text) in known_flags().items())


def visible(html: str) -> str:
    """The words of a page: without style, attributes and tags; spaces that do not break count as spaces."""
    html = html.replace("\N{NO-BREAK SPACE}", " ")
    return re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))


def test_the_number_its_interval_band_and_quantity_are_there():
    made = finding()
    words = visible(render_html(made, WHO))
    band = made.stage.band.replace("-", "–")
    for text in (f"{made.stiffness.mean_kpa:.2f}", "95 % interval", band, "rdes149", "|G*|", "60 Hz", "2D"):
        assert text in words
    assert "vendor inversion" in words
    assert "For research use only" in words


def test_a_simulated_exam_names_no_vendor():
    simulated = Acquisition("simulated", 1.5, 60.0, "simulated", "2D")
    words = visible(render_html(finding(acquisition=simulated), None))
    assert "simulated map" in words and "vendor inversion" not in words
    assert "simulated map" in pdf_words(render_pdf(finding(acquisition=simulated), None))


def pdf_words(data: bytes) -> str:
    """The text of a sheet: what its text operators show, in order."""
    streams = re.findall(rb"/FlateDecode[^>]*>>\s*stream\r?\n(.*?)\r?\nendstream", data, flags=re.DOTALL)
    pages = b"\n".join(zlib.decompress(s) for s in streams)
    shown = re.findall(rb"\(((?:[^()\\]|\\.)*)\)\s*Tj", pages)
    return " ".join(re.sub(rb"\\(.)", rb"\1", s).decode("cp1252") for s in shown)


def test_nothing_of_the_provenance_or_a_heading_is_cut_on_the_sheet():
    cautious = replace(CHANGE, remark=f"{'A long remark on the limit and its source. ' * 4}Caution: regions differ.")
    many = replace(finding(10), provenance=replace(finding(1).provenance, series=(5, 500)), change=cautious)
    words = pdf_words(render_pdf(many, Identity("P" * 50, "20240611")))
    assert many.provenance.inputs_sha256 in words and many.provenance.model_sha256 in words
    assert "P" * 50 in words and "series 5, 500" in words and "Caution: regions differ." in words
    small = next(f.message for s in many.stiffness.slices for f in s.flags)
    assert small in words.replace("\n", " ") and "…" not in words


def test_greek_and_relations_come_from_the_pdf_s_own_symbols():
    """In the encoding of Symbol: 0xB3 is >= and "ab" is alpha beta (PDF 32000-1:2008, annex D.5)."""
    sheet = Sheet("title")
    assert sheet.width("≥ 5 αβ", 10) > sheet.width(" 5 ", 10)
    sheet.text(10, 10, "≥ 5 αβ é Я", 10, "#000000")
    words = pdf_words(sheet.finish())
    assert words.split() == ["³", "5", "ab", "é", "\\u042f"]


@pytest.mark.parametrize("room", [-3.0, 0.0, 0.5, 4.0, 30.0])
def test_wrapping_ends_in_any_room_and_loses_nothing(room):
    sheet = Sheet("title")
    lines = sheet.wrap("a_word_that_no_line_could_hold_by_itself and two more", 8, room, 200)
    assert "".join(lines).replace(" ", "") == "a_word_that_no_line_could_hold_by_itselfandtwomore" or room < 1
    assert all(sheet.width(line, 8) <= room for line in lines) or room < 4


def test_settings_are_named_whole_and_grouped():
    made = finding(settings={"interval": {"repeatability_source": "a long sentence on where this number is from"}})
    html = render_html(made, None)
    assert '<dt class="of">interval</dt>' in html and '<dt>repeatability_source</dt><dd class="long">' in html
    assert "overflow-wrap: anywhere" not in re.search(r"\nbody {[^}]*}", html).group()


def test_columns_that_no_slice_fills_are_left_out():
    assert "--across:4" in render_html(finding(2), None)
    bare = render_html(finding(2, confidence=False, interval=False), None)
    assert "--across:3" in bare and "no confidence map</div>" not in bare
    refused = render_html(blocked(), None)
    assert "--across:3" in refused and "withheld" not in visible(refused)


def test_signs_are_those_of_print():
    words = visible(render_html(finding(flags=MANY), WHO))
    assert not re.search(r">=|&gt;=|\bmm2\b|\bcm2\b", re.split("How this was made", words)[0])


def test_page_needs_no_network_and_no_script():
    html = re.sub(r"data:image/png;base64,[^\"]+", "", render_html(finding(change=CHANGE), WHO))
    assert not re.search(r"https?:|//[a-z]|<script|<link|@import|url\((?!#)", html)
    assert "default-src 'none'" in html


@pytest.mark.parametrize("make", [blocked, unmeasured])
def test_not_reportable_shows_no_number(make):
    made = make()
    words = visible(render_html(made, WHO))
    assert "Not reportable" in words
    assert made.flags[0].message in words
    assert not [text for text in NUMBER.findall(words) if text != "0.95"]  # the confidence threshold
    assert "±" not in words
    assert 'class="stage"' not in render_html(made, WHO)


def test_identity_is_on_the_page_and_goes_with_deidentify():
    assert "MRN-0048/2231" in visible(render_html(finding(), WHO))
    assert "2024-06-11" in visible(render_html(finding(), WHO))
    hidden = visible(render_html(finding(), None))
    assert hidden.count("de-identified") == 2
    assert "MRN-0048/2231" not in hidden


def test_identity_never_reaches_json_or_figure(tmp_path):
    write(finding(), WHO, tmp_path)
    assert b"0048" not in (tmp_path / "finding.json").read_bytes()
    assert (tmp_path / "overlay.png").read_bytes() == render_overlay(finding())


def test_hostile_text_is_escaped():
    made = finding(acquisition=Acquisition(HOSTILE, 3.0, 60.0, HOSTILE, "3D"), pseudonym=HOSTILE, settings={HOSTILE: 1})
    html = render_html(made, Identity(HOSTILE, HOSTILE))
    assert "<script" not in html
    assert "{{ 7 * 7 }}" in visible(html)
    assert render_pdf(made, Identity("山田", HOSTILE)).startswith(b"%PDF")


def test_every_flag_is_one_line_with_icon_and_word():
    html = render_html(finding(flags=MANY), WHO)
    assert html.count('<li class="flag') == len(MANY)
    assert html.count("<b>Doubt.</b>") == sum(1 for f in MANY if f.severity == "warning")


@pytest.mark.parametrize("count", [1, 2, 4, 5, 10, 40])
def test_pdf_is_one_page(count):
    data = render_pdf(finding(count, flags=MANY if count == 10 else ()), WHO)
    assert len(re.findall(rb"/Type\s*/Page\b", data)) == 1


def test_same_finding_same_bytes():
    made = finding(2)
    assert render_pdf(made, WHO) == render_pdf(made, WHO)
    assert render_html(made, WHO) == render_html(made, WHO)
    assert render_overlay(made) == render_overlay(made)


def test_pdf_has_no_clock():
    assert re.findall(rb"/CreationDate \(D:(\d{4})", render_pdf(finding(1), WHO)) == [b"1970"]


@pytest.mark.parametrize(
    "made",
    [
        finding(1, (64, 80)),
        finding(1, (512, 512), (0.8, 0.8)),
        finding(3, confidence=False, interval=False),
        finding(2, stage=False, acquisition=Acquisition("Siemens")),
        finding(2, kpa=14.0),
        replace(finding(2), change=CHANGE),
        replace(finding(2), stage=replace(finding(2).stage, bands=(), cutoffs_kpa=())),
    ],
    ids=["small", "large", "no confidence", "no stage", "beyond the scale", "compared", "stage by name only"],
)
def test_every_kind_of_finding_can_be_drawn(made, tmp_path):
    write(made, WHO, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["finding.json", "overlay.png", "report.html", "report.pdf"]
    assert Image.open(tmp_path / "overlay.png").width > 600


def test_outline_is_drawn_where_the_liver_is():
    made = finding(1, (100, 120), (2.0, 2.5))
    mask = disc((100, 120), 48, 44, 16)
    made = replace(made, liver=replace(made.liver, liver=mask[None], probability=mask[None].astype(np.float32)))
    drawn = pictures(made)
    tile = np.asarray(tiles(drawn)[0][0]).astype(int)
    yellow = np.abs(tile - rgb(LIVER)).sum(axis=2) < 60
    rows, columns = np.nonzero(yellow)
    scale = tile.shape[1] / drawn.size_mm[0]
    (loop,) = drawn.slices[0].liver
    centre = loop.mean(axis=0) * scale
    across, down = (columns - centre[0]) / (16 * 2.5 * scale), (rows - centre[1]) / (16 * 2.0 * scale)
    radius = np.hypot(across, down)
    assert yellow.sum() > 300
    assert np.all(np.abs(radius - 1) < 0.08)  # a line of 2 px and half a pixel of stairs on a radius of 16 pixels
    assert np.ptp(np.arctan2(down, across)) > 6  # all the way round


def test_png_reads_back_as_it_was_drawn():
    rng = np.random.default_rng(0)
    colour, grey = rng.integers(0, 256, (13, 17, 3), np.uint8), rng.integers(0, 256, (13, 17), np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode(colour)))), colour)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode(grey)))), grey)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, 0.95),
        ({"roi": {"confidence_threshold": 0.9}}, 0.9),
        ({"confidence_threshold": None, "confidence_level": 0.9}, 0.95),
    ],
)
def test_hatching_follows_the_settings(settings, expected):
    assert confidence_threshold(settings) == expected


def test_finding_is_written_last_and_whole(tmp_path, monkeypatch):

    order = []
    replace_file = type(tmp_path).replace

    def note(self, target):
        order.append(target.name)
        return replace_file(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", note)
    write(finding(1), WHO, tmp_path)
    assert order[-1] == "finding.json"
    assert len(order) == 4


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    blocked_path = tmp_path / "file"
    blocked_path.write_text("in the way")
    with pytest.raises(OutputError, match="cannot be made"):
        write(finding(1), WHO, blocked_path / "exam")


def test_a_full_disk_leaves_no_finding(tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(tmp_path), "write_bytes", full)
    with pytest.raises(OutputError, match=r"report.html cannot be written .* No space left"):
        write(finding(1), WHO, tmp_path)
    assert list(tmp_path.iterdir()) == []
