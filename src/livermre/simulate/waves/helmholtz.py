"""The shear wave of one slice: div(G* grad u) + (rho w^2 - G* kz^2) u = -f, solved exactly by sparse LU.

Displacement along the structure (out of the image plane), time factor e^{iwt}, through-plane factor e^{i kz z}. Density
is 1000 kg/m3 by the field's convention, so that G/rho in m2/s2 is G in kPa.

Square bilinear elements, each with its own modulus; u lives at their corners. The element mass is the blend
h [5 1; 1 5]/12 of the consistent and the lumped one: on a uniform medium this is the compact scheme
u_xx = d2/(1 + d2/12), whose phase error falls with h^4 (Ainsworth & Wajid 2010, doi 10.1137/090754017, give the
blend for general order). A missing element is a void, and the weak form makes its border traction-free by itself.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from livermre.simulate.waves.ordering import elimination_rank

_MASS = np.array([[5.0, 1.0], [1.0, 5.0]]) / 12  # of a line element, per length
_STIFF = np.array([[1.0, -1.0], [-1.0, 1.0]])  # of a line element, times length
_CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))


@dataclass(frozen=True)
class Medium:
    """What the wave runs through.

    modulus_kpa  (R, C) complex128, G* of each element, kPa; ignored where there is no solid
    solid        (R, C) float64, 0..1: the share of the element that is tissue; 0 = void with a free surface
    spacing_mm   edge of the square elements
    """

    modulus_kpa: np.ndarray = field(repr=False)
    solid: np.ndarray = field(repr=False)
    spacing_mm: float

    def __post_init__(self) -> None:
        """Raise ValueError where shapes differ or a modulus cannot be one of a passive solid."""
        if self.modulus_kpa.shape != self.solid.shape or self.modulus_kpa.ndim != 2:
            raise ValueError(f"one modulus an element is needed, not {self.modulus_kpa.shape} on {self.solid.shape}")
        inside = self.modulus_kpa[self.solid > 0]
        if inside.size == 0:
            raise ValueError("the medium holds no tissue")
        if not (np.isfinite(inside).all() and inside.real.min() > 0 and inside.imag.min() >= 0):
            raise ValueError("G* needs a positive storage and a non-negative loss modulus everywhere in the tissue")


class WaveSolver:
    """One factorised medium; any number of drivers can be solved with it."""

    def __init__(self, medium: Medium, frequency_hz: float, kz_per_m: float = 0.0) -> None:
        """Assemble and factorise; kz_per_m is the through-plane wavenumber, rad/m."""
        self.shape = (medium.solid.shape[0] + 1, medium.solid.shape[1] + 1)
        self._step_m = medium.spacing_mm * 1e-3
        self._solid = medium.solid
        omega_2 = (2 * np.pi * frequency_hz) ** 2
        g = np.where(medium.solid > 0, medium.modulus_kpa, 0) * medium.solid
        m = (omega_2 * medium.solid - g * kz_per_m**2) * self._step_m**2
        active = np.flatnonzero(_touched(medium.solid > 0))
        self._nodes = active[np.argsort(elimination_rank(*self.shape).flat[active])]
        matrix = _assemble(g, m, self._nodes, self.shape)
        # complex symmetric and lossy: the diagonal is a safe pivot, and the order above is kept
        self._lu = linalg.splu(matrix, permc_spec="NATURAL", diag_pivot_thresh=0.0, options={"SymmetricMode": True})

    def solve(self, load: np.ndarray) -> np.ndarray:
        """Displacement at the corners (R+1, C+1) complex128, zero where no tissue is, for a load from `body_force`.

        load: (R+1, C+1) complex, force of each corner over density and thickness, m2/s2 times the unit of u.
        """
        u = np.zeros(self.shape, complex)
        u.flat[self._nodes] = self._lu.solve(np.asarray(load, complex).flat[self._nodes])
        return u

    def body_force(self, force: np.ndarray) -> np.ndarray:
        """Load (R+1, C+1) complex of a force density f/rho (R+1, C+1) at the corners, 1/s2 times the unit of u."""
        load = np.zeros(self.shape, complex)
        cells = self._solid * self._step_m**2
        for a, (ra, ca) in enumerate(_CORNERS):
            for b, (rb, cb) in enumerate(_CORNERS):
                part = cells * force[_shift(rb, cells), _shift_c(cb, cells)] * _element(a, b)[1]
                load[_shift(ra, cells), _shift_c(ca, cells)] += part
        return load


def at_centres(corners: np.ndarray) -> np.ndarray:
    """Mean of the four corners of each element: (R, C) from (R+1, C+1)."""
    return (corners[:-1, :-1] + corners[1:, :-1] + corners[:-1, 1:] + corners[1:, 1:]) / 4


def at_corners(centres: np.ndarray) -> np.ndarray:
    """Mean of the up to four elements around each corner: (R+1, C+1) from (R, C), zero outside."""
    padded = np.pad(centres, 1)
    return at_centres(padded)


def _shift(offset: int, cells: np.ndarray) -> slice:
    return slice(offset, offset + cells.shape[0])


def _shift_c(offset: int, cells: np.ndarray) -> slice:
    return slice(offset, offset + cells.shape[1])


def _element(a: int, b: int) -> tuple[float, float]:
    """Stiffness and mass between corners a and b of a unit element."""
    (ra, ca), (rb, cb) = _CORNERS[a], _CORNERS[b]
    stiff = _STIFF[ra, rb] * _MASS[ca, cb] + _MASS[ra, rb] * _STIFF[ca, cb]
    return 1.0 * stiff, _MASS[ra, rb] * _MASS[ca, cb]


def _touched(solid: np.ndarray) -> np.ndarray:
    """Corners (R+1, C+1) bool of any solid element."""
    padded = np.pad(solid, 1)
    return padded[:-1, :-1] | padded[1:, :-1] | padded[:-1, 1:] | padded[1:, 1:]


def _assemble(g: np.ndarray, m: np.ndarray, nodes: np.ndarray, shape: tuple[int, int]) -> sparse.csc_matrix:
    """K - M over corners in the order of their flat indices `nodes`: modulus g, mass m, (R, C) complex per element."""
    index = np.full(shape, -1, np.int32)
    index.flat[nodes] = np.arange(len(nodes), dtype=np.int32)
    solid = g != 0
    g, m = g[solid], m[solid]
    corner = [index[_shift(r, solid), _shift_c(c, solid)][solid] for r, c in _CORNERS]
    rows, columns, values = [], [], []
    for a in range(4):
        for b in range(4):
            stiff, mass = _element(a, b)
            rows.append(corner[a])
            columns.append(corner[b])
            values.append(stiff * g - mass * m)
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.coo_matrix(entries, shape=(len(nodes), len(nodes))).tocsc()
