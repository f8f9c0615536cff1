"""A plain body for the second generator: an oval trunk with fat, a spine and a liver on the patient's right."""

import numpy as np

from livermre.simulate.second import Body
from livermre.simulate.tissue import Tissue as T


def plain_body(step_mm: float = 5.0) -> Body:
    z, r, c = np.meshgrid(
        np.arange(0, 240, step_mm), np.arange(-125, 126, step_mm), np.arange(-175, 176, step_mm), indexing="ij"
    )
    labels = np.full(z.shape, T.AIR, np.uint8)
    oval = (r / 115) ** 2 + (c / 165) ** 2
    labels[oval < 1] = T.SKIN_FAT
    labels[oval < 0.85] = T.MUSCLE
    labels[oval < 0.7] = T.INNER_FAT
    labels[(r - 60) ** 2 + c**2 < 20**2] = T.BONE
    labels[((z - 120) / 65) ** 2 + ((r + 5) / 70) ** 2 + ((c + 65) / 70) ** 2 < 1] = T.LIVER
    return Body("plain", labels, (step_mm, step_mm, step_mm))
