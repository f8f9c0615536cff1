"""What the scanner does to a clean image: coils, iron, gas, low resolution, ghosts, cropping, noise, gamma."""

import torch
import torch.nn.functional as F

from livermre.simulate.tissue import Tissue as T
from livermre.train.fields import Draw, smooth_field


def acquire(image: torch.Tensor, labels: torch.Tensor, draw: Draw) -> torch.Tensor:
    """A noisy magnitude (B, 3, N, N) >= 0 from a clean one of the same shape."""
    image = iron(image, labels, draw)
    image = voids(image, labels, draw)
    image = image * coil_shading(image, draw)
    image = k_space(image, draw)
    image = noise(image, draw)
    image = field_of_view(image, draw)
    return gamma(image, draw)


def iron(image: torch.Tensor, labels: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Darken the liver (and often the spleen) in some samples, as iron does at long echo times."""
    batch = image.shape[0]
    factor = draw.uniform((batch, 1, 1, 1), 0.12, 0.7)
    iron_liver = draw.chance(batch, 0.12)[:, None, None, None]
    iron_spleen = iron_liver & draw.chance(batch, 0.5)[:, None, None, None]
    liver = (labels == T.LIVER) | (labels == T.LIVER_LESION)
    image = torch.where(liver & iron_liver, image * factor, image)
    return torch.where((labels == T.SPLEEN) & iron_spleen, image * factor, image)


def voids(image: torch.Tensor, labels: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Signal lost around gas and lung (susceptibility), and in a few random places."""
    batch, _, n, _ = image.shape
    gas = (
        (labels == T.LUNG) | ((labels == T.COLON) & (image < 0.05)) | ((labels == T.STOMACH) & (image < 0.05))
    ).float()
    halo = F.avg_pool2d(gas, 9, 1, 4)
    strength = draw.uniform((batch, 1, 1, 1), 0.0, 1.2) * draw.chance(batch, 0.4)[:, None, None, None]
    image = image * (1 - strength * halo).clamp(0.0, 1.0)
    spots = torch.sigmoid(6 * (smooth_field(batch, 1, n, 7, draw) - draw.uniform((batch, 1, 1, 1), 1.8, 2.8)))
    used = draw.chance(batch, 0.3)[:, None, None, None]
    return torch.where(used, image * (1 - spots), image)


def coil_shading(image: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Receive sensitivity (B, 1, N, N) > 0: a smooth field times up to eight surface coils around the body."""
    batch, _, n, _ = image.shape
    smooth = torch.exp(smooth_field(batch, 1, n, 3, draw) * draw.uniform((batch, 1, 1, 1), 0.02, 0.35))
    axis = torch.linspace(-1, 1, n, device=draw.device)
    row, column = torch.meshgrid(axis, axis, indexing="ij")
    angle = draw.uniform((batch, 8, 1, 1), 0.0, 6.2832)
    far = draw.uniform((batch, 8, 1, 1), 0.55, 1.15)
    reach = draw.uniform((batch, 1, 1, 1), 0.25, 1.3)
    weight = draw.uniform((batch, 8, 1, 1), 0.0, 1.0)
    d2 = (row - far * torch.sin(angle)) ** 2 + (column - far * torch.cos(angle)) ** 2
    coils = (weight / (1 + d2 / reach**2) ** 1.5).sum(1, keepdim=True)
    coils = coils / coils.mean((2, 3), keepdim=True)
    strength = draw.uniform((batch, 1, 1, 1), 0.0, 1.2) * draw.chance(batch, 0.7)[:, None, None, None]
    return smooth * coils**strength


def k_space(image: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Few phase-encoding lines, partial Fourier, motion ghosts: all in k-space, phase encoding along either axis."""
    batch, _, n, _ = image.shape
    turned = draw.chance(batch, 0.4)[:, None, None, None]
    image = torch.where(turned, image.transpose(-1, -2), image)
    k = torch.fft.fftshift(torch.fft.fft2(image), dim=(-2, -1))
    k = k * _line_window(batch, n, 0.34, draw)[:, None, :, None] * _line_window(batch, n, 0.7, draw)[:, None, None, :]
    k = k * _partial_fourier(batch, n, draw)[:, None, :, None] * _ghost_lines(batch, n, draw)[:, None, :, None]
    image = torch.fft.ifft2(torch.fft.ifftshift(k, dim=(-2, -1))).abs()
    return torch.where(turned, image.transpose(-1, -2), image)


def _line_window(batch: int, n: int, smallest: float, draw: Draw) -> torch.Tensor:
    """Kept k-space lines (B, N): a share of the grid, hard-edged (ringing) or soft."""
    share = draw.uniform((batch, 1), smallest, 1.25)
    soft = draw.uniform((batch, 1), 0.01, 0.3)
    k = torch.linspace(-1, 1, n, device=draw.device).abs()[None]
    return torch.sigmoid((share - k) / (soft * share) * 6).clamp(0, 1)


def _partial_fourier(batch: int, n: int, draw: Draw) -> torch.Tensor:
    """Drop up to 3/8 of one half of the lines (zero-filled) in a quarter of the samples."""
    kept = draw.uniform((batch, 1), 0.25, 1.0)
    k = torch.linspace(-1, 1, n, device=draw.device)[None]
    used = draw.chance(batch, 0.25)[:, None]
    return torch.where(used & (k > kept), 0.0, 1.0)


def _ghost_lines(batch: int, n: int, draw: Draw) -> torch.Tensor:
    """Complex line modulation (B, N): periodic motion makes shifted copies along phase encoding."""
    line = torch.arange(n, device=draw.device)[None]
    period = draw.uniform((batch, 1), 2.0, 9.0)
    depth = draw.uniform((batch, 1), 0.0, 0.28) * draw.chance(batch, 0.4)[:, None]
    start = draw.uniform((batch, 1), 0.0, 6.2832)
    wave = torch.sin(6.2832 * line / period + start)
    turn = draw.uniform((batch, 1), 0.0, 1.0)
    return (1 + depth * wave) * torch.exp(1j * depth * turn * 3 * wave)


def noise(image: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Rician noise; SNR 5-80 against the bright end of the image."""
    batch = image.shape[0]
    bright = image.flatten(1).kthvalue(int(0.93 * image[0].numel()), dim=1).values[:, None, None, None]
    snr = torch.exp(draw.uniform((batch, 1, 1, 1), 1.7, 4.4))
    sigma = bright / snr
    real, imaginary = image + sigma * draw.normal(tuple(image.shape)), sigma * draw.normal(tuple(image.shape))
    return torch.hypot(real, imaginary)


def field_of_view(image: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Blank borders (rectangular field of view, zero background) in some samples."""
    batch, _, n, _ = image.shape
    axis = torch.linspace(-1, 1, n, device=draw.device).abs()
    half = draw.uniform((batch, 2), 0.72, 1.3)
    inside = (axis[None, :, None] < half[:, 0, None, None]) & (axis[None, None, :] < half[:, 1, None, None])
    used = draw.chance(batch, 0.3)[:, None, None, None]
    return torch.where(used & ~inside[:, None], 0.0, image)


def gamma(image: torch.Tensor, draw: Draw) -> torch.Tensor:
    """A random tone curve: x ** g relative to the image's own bright end."""
    batch = image.shape[0]
    top = image.flatten(1).amax(1)[:, None, None, None].clamp_min(1e-6)
    power = torch.exp(draw.uniform((batch, 1, 1, 1), -0.35, 0.35))
    return (image / top) ** power
