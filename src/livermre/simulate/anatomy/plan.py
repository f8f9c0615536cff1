"""The plan of a body: every number that decides its proportions, and how to draw one at random."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np


class Resection(IntEnum):
    """What a surgeon has taken from the liver."""

    NONE = 0
    RIGHT = 1
    LEFT = 2
    WEDGE = 3


@dataclass(frozen=True)
class BodyPlan:
    """Proportions of one body; lengths in mm, volumes in ml, fractions 0..1. The default is an average adult."""

    half_width: float = 150.0  # of the muscular wall, without fat
    front: float = 148.0  # muscular wall in front of the spine, at the liver
    belly: float = 0.0  # how far the wall at the navel stands before (or, negative, behind) `front`
    waist: float = 0.95  # width at the waist over width at the liver
    squareness: float = 2.4  # exponent of the super-ellipse
    fat: float = 16.0  # subcutaneous
    visceral_fat: float = 0.4
    muscle: float = 1.0  # scale of wall, psoas and back muscles
    breasts: float = 0.0
    tilt_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)  # turn about the long, the front-back and the side axis
    scoliosis: float = 0.0
    lumpiness: float = 1.0  # of every border
    liver_ml: float = 1500.0
    liver_height: float = 132.0
    left_lobe: float = 55.0  # tip of the left lobe, left of the midline
    left_thickness: float = 1.0
    right_round: float = 0.5  # 0 slim and pointed, 1 full
    riedel: float = 0.0  # extra length of a tongue-like right lobe
    cirrhosis: float = 0.0
    resection: Resection = Resection.NONE
    ascites: float = 0.0
    gallbladder: float = 1.0  # size; 0 when absent
    lesions: int = 0
    lesion_radius: float = 10.0
    vessel_radius: float = 4.0
    left_dome: float = -18.0  # height of the left dome under the right one
    lung_depth: float = 1.0  # how deep the recesses reach
    heart: float = 1.0
    spleen_ml: float = 210.0
    kidney_ml: float = 155.0  # each
    perirenal: float = 6.0
    stomach: float = 0.9
    colon: float = 20.0  # radius
    bowel: float = 32.0  # width of a loop
    bowel_fat: float = 0.5
    pelvis: float = -215.0  # height of the iliac crest
    arms: tuple[float, float] = (0.0, 0.0)  # radius of the right and left arm; 0 when up


def random_plan(rng: np.random.Generator) -> BodyPlan:
    """A plan drawn from a wide, clinic-like population; two calls on one generator give two bodies."""
    fields = _trunk(rng) | _liver(rng) | _organs(rng)
    fields["belly"] = max(fields["belly"], 98.0 - fields["front"])  # the spine leaves the gut some room
    cirrhosis = float(fields["cirrhosis"])
    fields["liver_ml"] *= fields["half_width"] / 150 * (fields["front"] + 72) / 220  # large bodies, large livers
    fields["spleen_ml"] = float(fields["spleen_ml"]) * (1 + 1.4 * cirrhosis * rng.random())
    if cirrhosis > 0.3 and rng.random() < 0.5:
        fields["ascites"] = float(rng.uniform(0.2, 1.0))
    return BodyPlan(**fields)


def _trunk(rng: np.random.Generator) -> dict:
    """Outer shape: fat and belly go together, size does not follow from them."""
    obesity = float(rng.beta(1.6, 2.6))
    size = float(rng.normal(0, 1))
    arm = rng.uniform(34, 52, 2) * (rng.random(2) < 0.9) if rng.random() < 0.35 else np.zeros(2)
    return {
        "half_width": float(np.clip(140 + 9 * size + 32 * obesity + rng.normal(0, 4), 120, 186)),
        "front": float(np.clip(130 + 7 * size + 42 * obesity + rng.normal(0, 6), 108, 190)),
        "belly": float(-28 + 62 * obesity + rng.normal(0, 9)),
        "waist": float(np.clip(0.9 + 0.14 * obesity + rng.normal(0, 0.03), 0.84, 1.06)),
        "squareness": float(rng.uniform(2.0, 2.55)),
        "fat": float(np.clip(4 + 42 * obesity * rng.uniform(0.5, 1.3), 3, 48)),
        "visceral_fat": float(np.clip(obesity * rng.uniform(0.5, 1.6), 0.03, 1)),
        "muscle": float(rng.uniform(0.75, 1.2)),
        "breasts": float(rng.uniform(0.3, 1.0)) if rng.random() < 0.45 else 0.0,
        "tilt_deg": tuple(float(v) for v in rng.normal(0, [4.0, 2.5, 2.5])),
        "scoliosis": float(rng.normal(0, 1)),
        "lumpiness": float(rng.uniform(0.7, 1.4)),
        "arms": (float(arm[0]), float(arm[1])),
    }


def _liver(rng: np.random.Generator) -> dict:
    """Liver: one in four cirrhotic, one in eight large, a few resected."""
    cirrhosis = float(rng.uniform(0.25, 1.0)) if rng.random() < 0.25 else 0.0
    large = rng.random() < 0.13
    volume = rng.uniform(1950, 2700) if large else np.clip(rng.normal(1500, 230), 1000, 2100)
    resection = Resection(int(rng.choice(4, p=[0.9, 0.035, 0.03, 0.035])))
    kept = {Resection.RIGHT: 0.6, Resection.LEFT: 0.85}.get(resection, 1.0)
    return {
        "cirrhosis": cirrhosis,
        "liver_ml": float(volume * kept * (1 - 0.25 * cirrhosis)),
        "liver_height": float(rng.uniform(140, 170) if large else np.clip(rng.normal(132, 11), 108, 155)),
        "left_lobe": float(np.clip(rng.normal(52, 26) + 25 * large, 5, 118)),
        "left_thickness": float(rng.uniform(0.65, 1.35)),
        "right_round": float(rng.random()),
        "riedel": float(rng.uniform(20, 60)) if rng.random() < 0.1 else 0.0,
        "resection": resection,
        "ascites": float(rng.uniform(0.1, 0.5)) if rng.random() < 0.04 else 0.0,
        "gallbladder": 0.0 if rng.random() < 0.17 else float(rng.uniform(0.6, 1.4)),
        "lesions": int(rng.choice([0, 1, 2, 4, 9], p=[0.6, 0.17, 0.1, 0.08, 0.05])),
        "lesion_radius": float(np.exp(rng.uniform(np.log(4), np.log(30)))),
        "vessel_radius": float(rng.uniform(3.0, 5.2)),
    }


def _organs(rng: np.random.Generator) -> dict:
    """Neighbours of the liver."""
    large_spleen = rng.random() < 0.12
    return {
        "left_dome": float(rng.uniform(-34, -6)),
        "lung_depth": float(rng.uniform(0.8, 1.25)),
        "heart": float(rng.uniform(0.85, 1.25)),
        "spleen_ml": float(rng.uniform(450, 1000) if large_spleen else np.clip(rng.normal(215, 65), 90, 400)),
        "kidney_ml": float(np.clip(rng.normal(155, 20), 105, 205)),
        "perirenal": float(rng.uniform(2, 14)),
        "stomach": float(rng.uniform(0.3, 1.2)),
        "colon": float(rng.uniform(13, 27)),
        "bowel": float(rng.uniform(26, 50)),
        "bowel_fat": float(rng.uniform(0.15, 0.8)),
        "pelvis": float(rng.uniform(-250, -195)),
    }
