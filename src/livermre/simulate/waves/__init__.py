"""Waves in a body: the shear wave's field equation, what drives it, and the bulk motion that rides along."""

from livermre.simulate.waves.helmholtz import Medium, WaveSolver, at_centres, at_corners

__all__ = ["Medium", "WaveSolver", "at_centres", "at_corners"]
