"""What the network names: liver first, and the neighbours it must not take for liver."""

import numpy as np

from livermre.simulate.tissue import Tissue

CLASSES = (
    "other",
    "liver",
    "spleen",
    "kidney",
    "stomach",
    "bowel",
    "heart",
    "lung",
    "vessel",
    "wall",
    "gallbladder",
)
"""Class names; the number is the place. Other organs are targets so that what is not liver has a name."""

_CLASS_OF = {
    "liver": (Tissue.LIVER, Tissue.LIVER_VESSEL, Tissue.LIVER_LESION),
    "spleen": (Tissue.SPLEEN,),
    "kidney": (Tissue.KIDNEY_LEFT, Tissue.KIDNEY_RIGHT),
    "stomach": (Tissue.STOMACH, Tissue.OESOPHAGUS),
    "bowel": (Tissue.COLON, Tissue.SMALL_BOWEL),
    "heart": (Tissue.HEART,),
    "lung": (Tissue.LUNG,),
    "vessel": (Tissue.ARTERY, Tissue.VEIN, Tissue.PORTAL_VEIN),
    "wall": (Tissue.SKIN_FAT, Tissue.MUSCLE, Tissue.BONE, Tissue.SPINAL_CANAL),
    "gallbladder": (Tissue.GALLBLADDER,),
}


def _table() -> np.ndarray:
    table = np.zeros(256, dtype=np.int64)
    for name, tissues in _CLASS_OF.items():
        table[[int(t) for t in tissues]] = CLASSES.index(name)
    return table


CLASS_OF_TISSUE = _table()
"""(256,) int64: class number of every Tissue number."""

LIVER = CLASSES.index("liver")
