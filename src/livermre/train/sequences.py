"""Brightness of tissues under a random MR sequence, by the signal equations: what belongs together stays together.

Free random contrast lets the fat under the skin and the fat around the bowel differ, which no scanner does; a network
trained on it cannot use the one to know the other.
"""

from typing import NamedTuple

import torch

from livermre.simulate.tissue import Tissue as T
from livermre.train.fields import Draw

TISSUES = 32  # room for every Tissue number and a few spare ones


class Relaxation(NamedTuple):
    """Typical values of a tissue; every draw scatters them widely."""

    t1_ms: tuple[float, float]  # at 1.5 T and 3 T
    t2_ms: tuple[float, float]
    density: float  # of protons, water = 1
    diffusion: float  # 1e-3 mm2/s


# Order of magnitude from de Bazelaire 2004 (doi 10.1148/radiol.2303021331) and Stanisz 2005
# (doi 10.1002/mrm.20605); mixtures, bowel and fluids are the project's choice.
_FAT = Relaxation((343, 382), (58, 68), 0.9, 0.1)
_BLOOD = Relaxation((1441, 1932), (230, 150), 0.85, 3.0)
_WALL = Relaxation((1000, 1200), (60, 50), 0.75, 1.5)
_KIDNEY = Relaxation((1150, 1350), (86, 78), 0.85, 2.0)
_WATER = Relaxation((2600, 2900), (700, 500), 1.0, 3.0)
_RELAXATION: dict[T, Relaxation] = {
    T.INNER_FAT: _FAT,
    T.SKIN_FAT: _FAT,
    T.MUSCLE: Relaxation((900, 1100), (35, 29), 0.8, 1.5),
    T.BONE: Relaxation((549, 586), (49, 49), 0.6, 0.5),
    T.SPINAL_CANAL: _WATER,
    T.HEART: Relaxation((1030, 1471), (50, 47), 0.8, 2.0),
    T.ARTERY: _BLOOD,
    T.VEIN: _BLOOD,
    T.PORTAL_VEIN: _BLOOD,
    T.LIVER_VESSEL: _BLOOD,
    T.LIVER: Relaxation((586, 809), (46, 34), 0.75, 1.1),
    T.SPLEEN: Relaxation((1057, 1328), (79, 61), 0.8, 0.9),
    T.KIDNEY_RIGHT: _KIDNEY,
    T.KIDNEY_LEFT: _KIDNEY,
    T.STOMACH: _WALL,
    T.COLON: _WALL,
    T.SMALL_BOWEL: _WALL,
    T.OESOPHAGUS: _WALL,
    T.PANCREAS: Relaxation((584, 725), (46, 43), 0.8, 1.3),
    T.GALLBLADDER: Relaxation((1800, 2000), (500, 350), 1.0, 2.8),
    T.ARM: Relaxation((700, 800), (40, 38), 0.8, 1.0),
    T.GLAND: Relaxation((800, 900), (70, 60), 0.8, 1.2),
    T.ASCITES: _WATER,
    T.LIVER_LESION: Relaxation((1100, 1300), (90, 80), 0.85, 1.4),
}
_VESSELS = (T.ARTERY, T.VEIN, T.PORTAL_VEIN, T.LIVER_VESSEL)
_FLUIDS = (T.GALLBLADDER, T.ASCITES, T.SPINAL_CANAL)


def signal_means(batch: int, draw: Draw) -> torch.Tensor:
    """Mean brightness (B, 32) of every tissue, each sample under its own sequence; brightest solid tissue near 1."""
    t1, t2, density, diffusion = _scattered(batch, draw)
    _enhance(t1, draw)
    echo = _spin_echo(t1, t2, density, diffusion, draw)
    gradient = _gradient_echo(t1, t2, density, draw)
    steady = _steady_state(t1, t2, density, draw)
    kind = draw.uniform((batch, 1), 0.0, 1.0)
    signal = torch.where(kind < 0.45, gradient, torch.where(kind < 0.88, echo, steady))
    signal = _fat(signal, draw)
    solid = signal.clone()
    solid[:, list(_FLUIDS) + list(_VESSELS)] = 0.0
    top = solid.topk(3, dim=1).values[:, 2:3].clamp_min(1e-6)
    return (signal / top).clamp(0.0, 1.6)


def _scattered(batch: int, draw: Draw) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """T1 (ms), T2 (ms), proton density, diffusion (1e-3 mm2/s), each (B, 32), between 1.5 T and 3 T and beyond."""
    rows = [_RELAXATION.get(T(i)) if i in set(T) else None for i in range(TISSUES)]
    table = torch.tensor(
        [[*r.t1_ms, *r.t2_ms, r.density, r.diffusion] if r else [1.0, 1.0, 1.0, 1.0, 0.0, 0.0] for r in rows],
        device=draw.device,
    ).T
    field = draw.uniform((batch, 1), -0.3, 1.3)
    width = torch.tensor([0.15, 0.2, 0.08], device=draw.device)[:, None, None]
    spread = torch.exp(draw.normal((3, batch, TISSUES)) * width)
    t1 = table[0] * (table[1] / table[0]) ** field * spread[0]
    t2 = table[2] * (table[3] / table[2]) ** field * spread[1]
    for value in (t1, t2, density := table[4] * spread[2]):
        value[:, T.INNER_FAT] = value[:, T.SKIN_FAT]  # one tissue in two places
    return t1, t2, density, table[5].expand(batch, -1)


def _enhance(t1: torch.Tensor, draw: Draw) -> None:
    """Shorten T1 (B, 32) in place as a contrast agent does, in some samples."""
    batch = t1.shape[0]
    used = draw.chance(batch, 0.15)
    for tissues, low, high in (
        (_VESSELS, 0.06, 0.5),
        ((T.HEART, T.SPLEEN, T.KIDNEY_LEFT, T.KIDNEY_RIGHT), 0.15, 0.7),
        ((T.LIVER,), 0.25, 0.9),
        ((T.PANCREAS, T.STOMACH, T.COLON, T.SMALL_BOWEL), 0.4, 0.9),
    ):
        factor = torch.where(used, draw.uniform(batch, low, high), 1.0)
        t1[:, list(tissues)] *= factor[:, None]


def _spin_echo(
    t1: torch.Tensor, t2: torch.Tensor, density: torch.Tensor, diffusion: torch.Tensor, draw: Draw
) -> torch.Tensor:
    """Spin echo, turbo or EPI: saturation, T2 decay, some diffusion weight, moving blood dark or not."""
    batch = t1.shape[0]
    tr = torch.exp(draw.uniform((batch, 1), 6.0, 9.0))  # 400 to 8000 ms
    te = draw.uniform((batch, 1), 10.0, 110.0)
    b = draw.uniform((batch, 1), 0.0, 0.6) * draw.chance(batch, 0.25)[:, None]  # 1000 s/mm2
    signal = density * (1 - torch.exp(-tr / t1)) * torch.exp(-te / t2 - b * diffusion)
    void = torch.where(draw.chance(batch, 0.5), draw.uniform(batch, 0.0, 0.7), 1.0)
    signal[:, list(_VESSELS)] *= void[:, None]
    return signal


def _gradient_echo(t1: torch.Tensor, t2: torch.Tensor, density: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Spoiled gradient echo; fresh blood flowing in is bright in most samples."""
    batch = t1.shape[0]
    fresh = torch.where(draw.chance(batch, 0.65), draw.uniform(batch, 0.08, 0.7), 1.0)
    t1 = t1.clone()
    t1[:, list(_VESSELS)] *= fresh[:, None]
    tr = torch.exp(draw.uniform((batch, 1), 1.4, 5.0))  # 4 to 150 ms
    te = draw.uniform((batch, 1), 1.2, 25.0)
    flip = draw.uniform((batch, 1), 0.12, 1.2)
    rate = 1 / t2 + torch.exp(draw.uniform((batch, 1), -6.0, -3.6))  # T2* from T2 and field spread, 1/ms
    e1 = torch.exp(-tr / t1)
    return density * torch.sin(flip) * (1 - e1) / (1 - torch.cos(flip) * e1) * torch.exp(-te * rate)


def _steady_state(t1: torch.Tensor, t2: torch.Tensor, density: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Balanced steady state on resonance: T2 over T1."""
    flip = draw.uniform((t1.shape[0], 1), 0.5, 1.4)
    ratio = t1 / t2
    return density * torch.sin(flip) / (ratio + 1 - torch.cos(flip) * (ratio - 1))


def _fat(signal: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Fat suppressed, or not; fatty liver, marrow and arms as mixtures of water and fat in any phase."""
    batch = signal.shape[0]
    left = torch.where(draw.chance(batch, 0.5), draw.uniform(batch, 0.02, 0.5), draw.uniform(batch, 0.9, 1.6))
    signal = signal.clone()
    # suppression is seldom the same near the coils and deep inside
    fat = (signal[:, T.SKIN_FAT] * left)[:, None]
    signal[:, [T.SKIN_FAT, T.INNER_FAT]] = fat * torch.exp(draw.normal((batch, 2)) * 0.1)
    phase = draw.uniform((batch, 1), 0.0, 3.1416)
    for tissue, share, high in ((T.LIVER, 0.4, 0.35), (T.BONE, 1.0, 0.6), (T.ARM, 1.0, 0.5), (T.PANCREAS, 0.4, 0.3)):
        part = (draw.uniform(batch, 0.0, high) * draw.chance(batch, share))[:, None]
        water = (1 - part) * signal[:, tissue, None]
        mixed = torch.hypot(water + part * fat * torch.cos(phase), part * fat * torch.sin(phase))
        signal[:, tissue] = mixed[:, 0]
    return signal
