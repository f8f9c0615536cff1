"""The configuration: every sentence names the key, what was found and what would be right."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from livermre.apps.node import config
from livermre.apps.node.config import load
from livermre.exam.errors import SettingsError

GOOD = '[node]\naet = "A"\nport = 104\ndata = "d"\n[receive]\ncalling = ["MR"]\n'
PACS = '[[destination]]\nname = "p"\naet = "P"\nhost = "h"\nport = 1\n'


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "node.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (GOOD + "[recieve]\n", "there is no section [recieve]; did you mean 'receive'?"),
        (GOOD.replace("calling", "callling"), "[receive] has no key 'callling'; did you mean 'calling'?"),
        (GOOD.replace('aet = "A"\n', ""), "[node] lacks the key 'aet': an AE title (1 to 16 characters, no backslash)"),
        (GOOD.replace('"A"', '"ABCDEFGHIJKLMNOPQ"'), "[node] aet must be an AE title (1 to 16 characters, no "
         "backslash), found 'ABCDEFGHIJKLMNOPQ'"),
        (GOOD.replace("104", "70000"), "[node] port must be a whole number from 1 to 65535, found 70000"),
        (GOOD.replace("104", "true"), "[node] port must be a whole number from 1 to 65535, found True"),
        (GOOD + 'complete = "relase"\n', "[receive] complete must be one of 'quiet', 'release', found 'relase'"),
        (GOOD.replace('["MR"]', "[]"), "[receive] calling is empty: name the AE titles that may"),
        (GOOD + 'hosts = ["10.0.0.0/99"]\n', "[receive] hosts must be addresses or networks such as"),
        (GOOD + '[receive.tls]\ncertificat = "x"\n', "[receive.tls] has no key 'certificat'; did you mean"),
        (GOOD + PACS + PACS, "[[destination]] name 'p' stands twice: each must have its own"),
        (GOOD + PACS.replace("port = 1\n", ""), "[destination p] needs aet, host and port of a DICOM"),
        (GOOD + PACS + 'objects = ["SEQ"]\n', "[destination p] objects must be a list of 'SEG', 'SR', 'PMAP'"),
        (GOOD + PACS + 'web = { url = "http://x" }\n', "[destination p] has both a DICOM node and a section web"),
        (GOOD + '[destination]\nname = "p"\n', "[destination] is written [[destination]], with two brackets"),
        (GOOD + '[[poll]]\nname = "a"\nweb = { url = "ftp://x" }\n', "[poll a.web] url must start with http://"),
        (GOOD + "[status]\nport = 104\n", "[status] port 104 is that of [node], where DICOM is spoken: take another"),
        (GOOD + '[analysis]\ndeidentify_key = "k"\n', "[analysis] deidentify_key is there but deidentify = true"),
        (GOOD + "[retention]\nkeep_days = -1\n", "[retention] keep_days must be a number from 0 to 36500, found -1"),
        ("[node\n", "is no TOML: "),
    ],
)  # fmt: skip
def test_a_wrong_key_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(written(tmp_path, text))
    assert sentence in str(caught.value) and str(tmp_path / "node.toml") in str(caught.value)


def test_one_port_on_two_addresses_is_two_ports(tmp_path: Path) -> None:
    two = GOOD.replace("port = 104", 'port = 104\nhost = "10.0.0.1"') + '[status]\nport = 104\nhost = "127.0.0.1"\n'
    assert load(written(tmp_path, two)).status.port == 104


def test_all_problems_are_counted(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\(and 2 more: `livermre node doctor .*` names them all\)"):
        load(written(tmp_path, GOOD.replace("104", "0") + "quiet = 1\n[stauts]\n"))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot be read \(No such file.*livermre node init"):
        load(tmp_path / "none.toml")


def test_paths_are_taken_from_the_files_folder(tmp_path: Path) -> None:
    assert load(written(tmp_path, GOOD)).node.data == tmp_path / "d"
    assert load(written(tmp_path, GOOD.replace('"d"', '"/var/x"'))).node.data == Path("/var/x")
    more = GOOD.replace("[receive]", 'log = "node.log"\n[receive]') + '[analysis]\nmodel = "ours.onnx"\n'
    read = load(written(tmp_path, more))
    assert read.node.log == tmp_path / "node.log" and read.analysis.model == tmp_path / "ours.onnx"


def test_words_that_stand_for_a_file_are_no_path(tmp_path: Path) -> None:
    plain = GOOD.replace("[receive]", 'log = "-"\n[receive]') + '[analysis]\nmodel = "default"\n'
    assert load(written(tmp_path, plain)) == load(written(tmp_path, GOOD))
    assert (load(tmp_path / "node.toml").node.log, load(tmp_path / "node.toml").analysis.model) == ("-", "default")


def test_routing() -> None:
    keys = config.DestinationKeys(name="p", aet="P", host="h", port=1, objects=("SR", "SOURCE"), calling=("MR1",))
    assert keys.wants("SR", "MR1") and keys.wants("SOURCE", "MR1")
    assert not keys.wants("SEG", "MR1") and not keys.wants("SR", "MR2")


def example() -> str:
    return (files("livermre.apps.node") / "example.toml").read_text(encoding="utf-8")


def test_the_example_is_a_good_configuration(tmp_path: Path) -> None:
    read = load(written(tmp_path, example()))
    assert [d.name for d in read.destinations] == ["pacs"] and read.status.port == 8042


def test_every_commented_line_of_the_example_is_true(tmp_path: Path) -> None:
    """Uncommented as a whole it is still a good configuration, and what holds without a line is what the line says."""
    whole = "\n".join(
        line.removeprefix("# ") if line.startswith("# ") and (" = " in line or line.startswith("# [")) else line
        for line in example().splitlines()
    )
    content = tomllib.loads(whole)
    for name, cls in {**config.SECTIONS, **config.LISTS}.items():
        entries = content[name] if isinstance(content[name], list) else [content[name]]
        told = {key for entry in entries for key in entry}
        assert told == set(config.keys_of(cls)), name
    for name, cls in config.SECTIONS.items():
        spoken = tomllib.loads(example()).get(name, {})
        for field in cls.__dataclass_fields__.values():
            value, optional = content[name][field.name], field.default is None
            if field.name not in spoken and not optional:
                assert value == (list(field.default) if isinstance(field.default, tuple) else field.default), field.name


def test_every_key_stands_in_the_manual() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "node.md").read_text(encoding="utf-8")
    for cls in (*config.SECTIONS.values(), *config.LISTS.values(), config.Tls, config.Web):
        missing = [key for key in config.keys_of(cls) if f"`{key}`" not in manual]
        assert not missing, f"{cls.__name__}: {missing}"
