"""Brightness made comparable between scanners, coils and contrasts."""

import numpy as np


def squash(image: np.ndarray) -> np.ndarray:
    """Magnitude squashed into 0..1 around its own foreground level: x / (x + level).

    image  (..., N, M) float, magnitude >= 0; the level is taken over all of it

    In log brightness this is a logistic curve, so a bright surface coil or an arm beside the coil shifts the middle a
    little and is never clipped. The level is the median of what is brighter than the mean. NaN and negative values
    count as 0.
    """
    image = np.nan_to_num(np.asarray(image, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0).clip(min=0.0)
    above = image[image > image.mean(dtype=np.float64)]
    if above.size == 0:
        return np.zeros_like(image)
    middle = (above.size - 1) // 2
    level = np.partition(above, middle)[middle]
    return image / (image + level)
