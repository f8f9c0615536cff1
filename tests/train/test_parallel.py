"""Several processes: two with half a batch each are one with the whole; a process alone is left alone."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from livermre.train import loop, parallel
from train import together


def torchrun(*arguments: str) -> None:
    """Two processes of a script, as a user would start them."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *arguments]
    made = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert made.returncode == 0, made.stderr[-3000:]


def test_two_processes_with_half_a_batch_are_one_with_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batch normalisation, the pooled Dice loss and the gradient all see the whole batch, to rounding."""
    monkeypatch.setattr(loop, "build", together.narrow)
    torchrun(together.__file__, str(tmp_path))
    both = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1)]
    assert [b["told"] for b in both] == [10, 10]
    for parts in (1, 2):
        first, second = (b[str(parts)] for b in both)
        alone = together.steps(parts)
        for name in ("gradient", "weights", "losses"):
            assert torch.equal(first[name], second[name]), name  # the processes do not drift apart by a single bit
        torch.testing.assert_close(first["losses"], alone["losses"], rtol=1e-5, atol=0)
        assert (first["gradient"] - alone["gradient"]).norm() / alone["gradient"].norm() < 1e-5
        moved = (alone["weights"] - alone["start"]).norm()
        assert moved > 0.1
        assert (first["weights"] - alone["weights"]).norm() / moved < 1e-3


def test_a_process_alone_is_left_alone() -> None:
    image = torch.rand(3, 2)
    assert parallel.share(image) is image
    assert parallel.whole(image) is image
    assert parallel.told(image) is image
    assert parallel.writes()
    assert not parallel.several()
    network = parallel.shared(together.narrow("unet"))
    assert not any(isinstance(m, parallel.SharedBatchNorm) for m in network.modules())
