"""One training over several processes of torchrun: each takes its share of a batch, and all take the same step.

    torchrun --nproc-per-node 2 -m livermre study DATA --out DIR

The numbers are those of one process with the whole batch, up to the order of sums: batch normalisation and loss see the
whole batch, gradients are means over the processes. In a process that torchrun did not start, nothing here does
anything. What is written is written by the first process.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.nn.functional import all_gather, all_reduce

from livermre.exam.errors import SettingsError

T = TypeVar("T")


def join(device: str) -> None:
    """Meet the other processes of torchrun (gloo on CPU, NCCL on GPUs, one each)."""
    if not dist.is_torchelastic_launched() or dist.is_initialized():
        return
    dist.init_process_group("nccl" if device == "cuda" else "gloo", timeout=timedelta(days=7))
    if device == "cuda":
        torch.cuda.set_device(dist.get_rank() % torch.cuda.device_count())


def several() -> bool:
    """Whether more than one process trains."""
    return dist.is_initialized() and dist.get_world_size() > 1


def writes() -> bool:
    """Whether this process is the one that writes files and validates."""
    return not several() or dist.get_rank() == 0


@contextmanager
def first_alone() -> Iterator[None]:
    """The first process goes through alone; the others follow when it is done, and find what it wrote."""
    if several() and not writes():
        dist.barrier()
    yield
    if several() and writes():
        dist.barrier()


def told(value: T) -> T:
    """What the first process has, in all of them."""
    if not several():
        return value
    box = [value]
    dist.broadcast_object_list(box)
    return box[0]


def share(batch: torch.Tensor) -> torch.Tensor:
    """Equal part of a batch (B, ...) that is this process's; SettingsError where B cannot be divided."""
    if not several():
        return batch
    number = dist.get_world_size()
    if len(batch) % number:
        raise SettingsError(f"{len(batch)} images at once cannot be shared by {number} processes; use another --batch")
    return batch.chunk(number)[dist.get_rank()]


def whole(part: torch.Tensor) -> torch.Tensor:
    """The parts of all processes as one batch; gradients find their way back."""
    return torch.cat(all_gather(part)) if several() else part


def average(parameters: Iterable[nn.Parameter]) -> None:
    """Replace gradients by their mean over the processes, all in one message."""
    if not several():
        return
    there = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.flatten() for g in there])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for gradient, mean in zip(there, flat.split([g.numel() for g in there]), strict=True):
        gradient.copy_(mean.view(gradient.shape))


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation by the statistics of all processes' parts; `nn.SyncBatchNorm` knows GPUs alone."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, N, M) normalised; in evaluation as ever."""
        if not self.training:
            return super().forward(x)
        y = x.float()
        number = dist.get_world_size() * y.numel() // y.shape[1]
        mean = all_reduce(y.sum((0, 2, 3))) / number
        away = y - mean[:, None, None]
        variance = all_reduce((away**2).sum((0, 2, 3))) / number
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * number / (number - 1), self.momentum)
            self.num_batches_tracked += 1
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (away * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)


def shared(network: nn.Module) -> nn.Module:
    """The network with its batch normalisations shared; the same weights under the same names."""
    for module in network.modules() if several() else ():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SharedBatchNorm
    return network
