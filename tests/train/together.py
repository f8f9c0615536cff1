"""Run by torchrun: three steps of a small network, each process with its share; the first writes what came of it."""

import sys
from pathlib import Path

import torch

from livermre.train import loop, parallel
from livermre.train.classes import CLASSES, LIVER
from livermre.train.loop import Stage, Trainer, TrainSettings
from livermre.train.network import UNet
from livermre.train.synthesis import Batch

STAGE = Stage(32, 3, 4)
SETTINGS = TrainSettings(network="unet", stages=(STAGE,), checkpoint_every=2, threads=1)


def narrow(name: str) -> UNet:
    """A U-Net of the same shape with few channels."""
    return UNet(3, len(CLASSES), width=4)


def batch(step: int, stage: Stage) -> Batch:
    """Noise; the images of the second half brighter and with more liver, so that halves are not alike."""
    draw = torch.Generator().manual_seed(step)
    image = torch.rand((stage.batch, 3, stage.size, stage.size), generator=draw)
    image[stage.batch // 2 :] *= 1.7
    return Batch(image, (image[:, 1] > 0.8).long() * LIVER)


def steps(accumulate: int = 1) -> dict[str, torch.Tensor]:
    """Gradient of the first step, and all weights and statistics after the last."""
    loop.build = narrow
    trainer = Trainer(TrainSettings(**(SETTINGS.__dict__ | {"accumulate": accumulate})))
    first = batch(0, STAGE)
    trainer.network.train()
    before = {k: v.clone() for k, v in trainer.network.state_dict().items()}
    trainer._gradients(first.image, first.target)
    gradient = torch.cat([p.grad.flatten() for p in trainer.network.parameters()])
    trainer.network.load_state_dict(before)
    records = [trainer.train_step(batch(step, STAGE)) for step in range(3)]
    weights = torch.cat([v.double().flatten() for v in trainer.network.state_dict().values()])
    start = torch.cat([v.double().flatten() for v in before.values()])
    losses = torch.tensor([r["loss"] for r in records])
    return {"gradient": gradient, "weights": weights, "start": start, "losses": losses}


if __name__ == "__main__":
    parallel.join("cpu")
    made = {str(parts): steps(parts) for parts in (1, 2)}
    rank = torch.distributed.get_rank()
    torch.save(made | {"told": parallel.told(10 + rank)}, Path(sys.argv[1]) / f"{rank}.pt")
