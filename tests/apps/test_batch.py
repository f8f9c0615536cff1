"""Side by side: a process that dies takes only the exams in hand with it."""

import pytest

from apps import helpers
from livermre import batch
from livermre.exam.errors import ModelError
from livermre.settings import Settings


def test_a_dead_process(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "_run", helpers.die_or_work)
    paths = [tmp_path / name for name in ("a", "bad", "c", "d", "e", "f")]
    told: list[str] = []
    outcomes = batch.analyze_all(
        paths, tmp_path / "out", Settings(), jobs=2, done=lambda some: told.extend(o.exam for o in some)
    )
    assert [o.exam for o in outcomes] == ["a", "bad", "c", "d", "e", "f"] and sorted(told) == sorted(
        p.name for p in paths
    )
    failed = {o.exam for o in outcomes if o.failed}
    assert "bad" in failed and len(failed) <= 2  # the other process's exam may have been in hand
    assert "a worker process died" in outcomes[1].message
    assert (tmp_path / "out/bad/error.json").exists()


def test_a_dead_process_takes_no_finding_away(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "_run", helpers.die_or_work)
    finding = tmp_path / "out/bad/finding.json"
    finding.parent.mkdir(parents=True)
    finding.write_text("{}")
    paths = [tmp_path / "bad", tmp_path / "bad2"]
    outcomes = batch.analyze_all(paths, tmp_path / "out", Settings(), jobs=2, overwrite=True)
    assert all(o.failed for o in outcomes)
    assert finding.read_text() == "{}" and not (tmp_path / "out/bad/error.json").exists()


def test_a_network_that_does_not_run_ends_all_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "_run", helpers.no_network)
    with pytest.raises(ModelError, match="net is no network"):
        batch.analyze_all([tmp_path / "a", tmp_path / "b"], tmp_path / "out", Settings(), jobs=2)
