"""Seeded random numbers and smooth random fields, on CPU or GPU."""

import torch
import torch.nn.functional as F


class Draw:
    """A source of random tensors seeded by (seed, step): no global state, so a resumed run repeats itself."""

    def __init__(self, seed: int, step: int, device: str = "cpu") -> None:
        self.device = device
        # odd multiplier spreads neighbouring (seed, step) pairs over the whole 63-bit range
        mixed = (seed * 0x9E3779B97F4A7C15 + step * 0xBF58476D1CE4E5B9 + 0x94D049BB133111EB) & (2**63 - 1)
        self.generator = torch.Generator(device).manual_seed(mixed)

    def uniform(self, shape: int | tuple[int, ...], low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        """Uniform numbers in [low, high)."""
        shape = (shape,) if isinstance(shape, int) else shape
        return low + (high - low) * torch.rand(shape, generator=self.generator, device=self.device)

    def normal(self, shape: tuple[int, ...]) -> torch.Tensor:
        """Standard normal numbers."""
        return torch.randn(shape, generator=self.generator, device=self.device)

    def chance(self, batch: int, share: float) -> torch.Tensor:
        """(batch,) bool, each True with the given probability."""
        return torch.rand(batch, generator=self.generator, device=self.device) < share


def smooth_field(batch: int, channels: int, pixels: int, cells: int, draw: Draw) -> torch.Tensor:
    """Smooth noise (B, C, N, N) of about unit SD whose bumps are N / cells pixels wide."""
    coarse = draw.normal((batch, channels, cells + 3, cells + 3))
    field = F.interpolate(coarse, size=pixels + 3 * pixels // max(cells, 1), mode="bicubic", align_corners=False)
    start = (field.shape[-1] - pixels) // 2
    return field[..., start : start + pixels, start : start + pixels]
