"""Acquired phase -> unwrapped -> first harmonic -> shear wave -> complex modulus -> stiffness and fit confidence."""

from livermre.inversion.chain import invert
from livermre.inversion.components import curl
from livermre.inversion.harmonic import first_harmonic, harmonics, noise_rad, offsets_of
from livermre.inversion.maps import Maps, maps_of
from livermre.inversion.result import Inversion, SliceQuality
from livermre.inversion.settings import InversionSettings
from livermre.inversion.unwrapping import foreground, unwrap

__all__ = [
    "Inversion",
    "InversionSettings",
    "Maps",
    "SliceQuality",
    "curl",
    "first_harmonic",
    "foreground",
    "harmonics",
    "invert",
    "maps_of",
    "noise_rad",
    "offsets_of",
    "unwrap",
]
