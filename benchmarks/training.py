"""Images per second in training: livermre's loop beside a plain fp32 loop, in one run, on this machine.

    python benchmarks/training.py [--steps N] [--size N] [--batch N]

The plain loop is what a first script does: contiguous memory, fp32, one thread of work that makes a batch and then
trains on it. livermre's makes the next batch meanwhile, uses channels_last, and bf16 where the CPU has matrix units.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from livermre.simulate.anatomy import make_anatomy, random_plan
from livermre.train.bank import BankVolume, bank_volume
from livermre.train.loop import Stage, Trainer, TrainSettings, run
from livermre.train.losses import segmentation_loss
from livermre.train.network import build
from livermre.train.synthesis import Batch, make_batch


def has_bf16_units() -> bool:
    """Whether this CPU multiplies bf16 matrices in hardware."""
    return bool(torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()) and any(
        "amx_bf16" in line for line in _cpu_flags()
    )


def _cpu_flags() -> list[str]:
    info = Path("/proc/cpuinfo")
    return [line for line in info.read_text().splitlines() if line.startswith("flags")] if info.exists() else []


def small_bank() -> list[BankVolume]:
    """Two parametric bodies."""
    volumes = []
    for seed in (0, 1):
        rng = np.random.default_rng(seed)
        anatomy = make_anatomy(random_plan(rng), rng)
        volumes.append(bank_volume(anatomy.labels, anatomy.spacing_mm))
    return volumes


def plain(batches: Iterator[Batch]) -> float:
    """Seconds of a plain fp32 loop."""
    network = build("unet-resnext50")
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3)
    start = time.perf_counter()
    for batch in batches:
        loss = segmentation_loss(network(batch.image), batch.target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return time.perf_counter() - start


def main() -> None:
    """Print both rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--batch", type=int, default=16)
    options = parser.parse_args()
    bank = small_bank()

    def batch(step: int, stage: Stage) -> Batch:
        return make_batch(bank, torch.ones(2), seed=0, step=step, batch=stage.batch, size=stage.size)

    stage = Stage(options.size, options.steps, options.batch)
    plain(batch(s, stage) for s in range(1))
    theirs = options.steps * options.batch / plain(batch(s, stage) for s in range(options.steps))
    settings = TrainSettings(stages=(stage,), bf16=has_bf16_units(), checkpoint_every=10**9)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(settings)
        start = time.perf_counter()
        for _ in run(trainer, batch, Path(folder)):
            pass
        ours = options.steps * options.batch / (time.perf_counter() - start)
    print(
        f"{options.batch} images of {options.size} x {options.size}, {options.steps} steps, "
        f"{torch.get_num_threads()} threads, "
        f"bf16 matrix units: {'yes' if settings.bf16 else 'no'}"
    )
    print(f"plain fp32 loop {theirs:.2f} images/s; livermre {ours:.2f} images/s; ratio {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
