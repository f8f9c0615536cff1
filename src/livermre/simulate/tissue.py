"""The tissues that an anatomy is made of: one number each, shared by phantoms, simulator and training generator."""

from enum import IntEnum


class Tissue(IntEnum):
    """Label numbers of an anatomy volume (uint8)."""

    AIR = 0  # outside the body
    INNER_FAT = 1  # mesenteric and retroperitoneal fat, and whatever has no name inside the body
    SKIN_FAT = 2  # skin and subcutaneous fat
    MUSCLE = 3
    BONE = 4
    SPINAL_CANAL = 5
    LUNG = 6
    HEART = 7
    ARTERY = 8  # aorta and its branches
    VEIN = 9  # inferior vena cava and other systemic veins
    PORTAL_VEIN = 10  # portal and splenic vein outside the liver
    LIVER = 11
    SPLEEN = 12
    KIDNEY_RIGHT = 13
    KIDNEY_LEFT = 14
    STOMACH = 15
    COLON = 16
    SMALL_BOWEL = 17  # with duodenum
    PANCREAS = 18
    GALLBLADDER = 19
    LIVER_VESSEL = 20  # portal and hepatic veins inside the liver: part of the liver, not of its parenchyma
    OESOPHAGUS = 21
    ARM = 22
    GLAND = 23  # adrenal and other small solid organs
    ASCITES = 24
    LIVER_LESION = 25  # part of the liver, not of its parenchyma


LIVER_TISSUES = (Tissue.LIVER, Tissue.LIVER_VESSEL, Tissue.LIVER_LESION)
"""What a reader outlines as "the liver"."""
