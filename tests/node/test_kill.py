"""kill -9 at random moments while studies arrive: nothing lost, nothing doubled, the same results."""

from pathlib import Path

import pytest

from node.killing import run


@pytest.mark.slow
def test_five_kills_lose_nothing(tmp_path: Path) -> None:
    """The short form of benchmarks/node_kill.py."""
    plan = {"studies": 6, "images": 8, "associations": 8, "seed": 5, "quiet": 3.0}
    calm = run(tmp_path / "calm", kills=0, **plan)
    wild = run(tmp_path / "wild", kills=5, **plan)
    for found in (calm, wild):
        assert found.states == {"done": 6} and found.acknowledged == 48
        assert not found.lost and not found.altered
    assert wild.kills == 5
    assert len(calm.objects) == 6 and wild.objects == calm.objects
