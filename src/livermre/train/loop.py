"""The training loop: staged resolution, EMA, one-cycle rate, checkpoints that resume the same curve."""

import json
import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from livermre.exam.errors import SettingsError
from livermre.train import parallel
from livermre.train.classes import LIVER
from livermre.train.losses import segmentation_loss
from livermre.train.network import build
from livermre.train.start import copy_onnx, copy_weights, load_checkpoint
from livermre.train.synthesis import Batch


@dataclass(frozen=True)
class Stage:
    """A run of steps at one grid size."""

    size: int
    steps: int
    batch: int


@dataclass(frozen=True)
class TrainSettings:
    """How to train; the whole of it is written into the run and its checkpoint."""

    network: str = "unet-resnext50"
    seed: int = 1
    stages: tuple[Stage, ...] = (Stage(64, 900, 8), Stage(96, 1680, 8))
    peak_rate: float = 1.2e-3
    weight_decay: float = 0.02
    warmup: float = 0.06  # share of all steps
    ema: float = 0.995
    checkpoint_every: int = 100
    bf16: bool = False  # autocast: 3-4 times faster where the CPU or GPU has bf16 matrix units, slower elsewhere
    device: str = "cpu"
    threads: int | None = None
    accumulate: int = 1  # parts of a batch that go through the network one after the other, to save memory

    @property
    def steps(self) -> int:
        """All steps of all stages."""
        return sum(s.steps for s in self.stages)

    def stage_at(self, step: int) -> Stage:
        """The stage that a step (from 0) belongs to."""
        for stage in self.stages:
            if step < stage.steps:
                return stage
            step -= stage.steps
        raise SettingsError(f"step {step} lies behind the last stage")


MakeBatch = Callable[[int, Stage], Batch]
"""(step, stage) -> batch: the same step always gives the same batch."""


class Trainer:
    """Network, its moving average and optimiser at one step; saves and restores all of it."""

    def __init__(self, settings: TrainSettings) -> None:
        torch.manual_seed(settings.seed)
        if settings.threads:
            torch.set_num_threads(settings.threads)
        torch.use_deterministic_algorithms(settings.device == "cpu")
        self.settings = settings
        self.step = 0
        network = build(settings.network).to(settings.device).to(memory_format=torch.channels_last)
        self.network = parallel.shared(network)
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=1e-3, weight_decay=settings.weight_decay)

    def train_step(self, batch: Batch) -> dict[str, float]:
        """One optimiser step; gives loss, batch Dice of the liver and learning rate."""
        rate = learning_rate(self.step, self.settings)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.network.train()
        image = batch.image.to(self.settings.device, memory_format=torch.channels_last)
        target = batch.target.to(self.settings.device)
        self.optimiser.zero_grad(set_to_none=True)
        loss, logits = self._gradients(image, target)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self.optimiser.step()
        self._average()
        self.step += 1
        return {"loss": loss, "dice": hard_dice(logits, target), "rate": rate}

    def _gradients(self, image: torch.Tensor, target: torch.Tensor) -> tuple[float, torch.Tensor]:
        """Add up the gradients of a batch, part by part; gives its mean loss and its logits.

        Of several processes each sends its share of every part through the network, and all see the loss of the whole.
        """
        parts = self.settings.accumulate
        total, found = 0.0, []
        for one, true in zip(image.chunk(parts), target.chunk(parts), strict=True):
            with torch.autocast(self.settings.device, torch.bfloat16, enabled=self.settings.bf16):
                logits = parallel.whole(self.network(parallel.share(one)))
            loss = segmentation_loss(logits, true)
            share = len(one) / len(image)
            (loss * share).backward()
            total += share * loss.item()
            found.append(logits.detach())
        parallel.average(self.network.parameters())
        return total, torch.cat(found)

    def _average(self) -> None:
        # a short memory at first, so that the average does not drag the random start along
        keep = min(self.settings.ema, (1 + self.step) / (10 + self.step))
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                self.average[name].lerp_(value, 1 - keep)
            else:
                self.average[name].copy_(value)

    def averaged_network(self) -> torch.nn.Module:
        """The network with averaged weights, in evaluation mode."""
        network = build(self.settings.network).to(self.settings.device)
        network.load_state_dict(self.average)
        return network.eval()

    def save(self, path: Path) -> None:
        """Write a checkpoint (temporary name, then rename, so that a kill leaves the older one whole)."""
        if not parallel.writes():
            return
        state = {
            "step": self.step,
            "network": self.network.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "settings": json.dumps(asdict(self.settings)),
        }
        temporary = path.with_suffix(".part")
        torch.save(state, temporary)
        temporary.replace(path)

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint; SettingsError where made under other settings, ModelError for another file."""
        state = load_checkpoint(path, self.settings.device)
        ours, standard = (json.loads(json.dumps(asdict(s))) for s in (self.settings, TrainSettings()))
        theirs = standard | json.loads(state["settings"])  # older checkpoints lack the newest settings
        changed = sorted(k for k in ours if k not in ("device", "threads", "checkpoint_every") and theirs[k] != ours[k])
        if changed:
            raise SettingsError(
                f"{path} was trained with another {', '.join(changed)}; use another --out, or start from it with --from"
            )
        copy_weights(self.network, state["network"], path.name)
        self.average = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])

    def start_from(self, path: Path, images: torch.Tensor) -> None:
        """Begin with the averaged weights of a checkpoint, or with an exported network; raises ModelError.

        images  (B, 3, N, N) float32 typical input, to unfold an exported network's batch normalisation
        """
        if path.suffix == ".onnx" and path.is_file():
            copy_onnx(self.network, path, images.to(self.settings.device))
        else:
            copy_weights(self.network, load_checkpoint(path, self.settings.device)["average"], path.name)
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}


def learning_rate(step: int, settings: TrainSettings) -> float:
    """One cycle: linear warm-up, then a cosine to 1 % of the peak."""
    done = (step + 1) / settings.steps
    if done < settings.warmup:
        return settings.peak_rate * done / settings.warmup
    fall = (done - settings.warmup) / (1 - settings.warmup)
    return settings.peak_rate * (0.01 + 0.99 * (1 + math.cos(math.pi * fall)) / 2)


def hard_dice(logits: torch.Tensor, target: torch.Tensor) -> float:
    """Dice of the liver in the batch, pooled, as the network would decide; 1 where both are empty."""
    found, true = logits.argmax(1) == LIVER, target == LIVER
    both = int(found.sum()) + int(true.sum())
    return 1.0 if both == 0 else 2 * int((found & true).sum()) / both


def run(trainer: Trainer, make_batch: MakeBatch, out: Path) -> Iterator[dict[str, float]]:
    """Train to the last step, one yielded record a step; log.jsonl and checkpoint.pt in out grow as it goes."""
    settings = trainer.settings
    out.mkdir(parents=True, exist_ok=True)
    batches = _ahead(make_batch, settings, trainer.step)
    with (out / "log.jsonl" if parallel.writes() else Path(os.devnull)).open("a") as log:
        for batch in batches:
            record = {"step": float(trainer.step), **trainer.train_step(batch)}
            log.write(json.dumps(record) + "\n")
            if trainer.step % settings.checkpoint_every == 0 or trainer.step == settings.steps:
                log.flush()
                trainer.save(out / "checkpoint.pt")
            yield record


def _ahead(make_batch: MakeBatch, settings: TrainSettings, start: int) -> Iterator[Batch]:
    """All batches from a step on, the next one made in a thread while the network works on this one."""
    with ThreadPoolExecutor(1) as maker:
        coming = None
        for step in range(start, settings.steps):
            batch = coming.result() if coming else make_batch(step, settings.stage_at(step))
            if step + 1 < settings.steps:
                coming = maker.submit(make_batch, step + 1, settings.stage_at(step + 1))
            yield batch
