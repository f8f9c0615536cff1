"""Why a pixel of the liver was left out of the region: one bit a reason, written to roi_reasons.nii.gz."""

from enum import IntFlag


class Reason(IntFlag):
    """Reason bits of a dropped pixel (uint16); 0 means kept, or never in the liver."""

    EDGE = 1  # closer to the liver's edge than the margin
    VESSEL = 2  # vessel, fissure or gallbladder: brightness unlike parenchyma
    LOW_CONFIDENCE = 4  # vendor or fit confidence below the threshold
    NO_VALUE = 8  # the stiffness map has no value (text, zero, hatching, NaN)
    HOT_SPOT = 16  # far stiffer than its surroundings under the driver
    SPECK = 32  # in an island too small to keep
    LEFT_LOBE = 64  # left out since only the right lobe was asked for
    LOW_SIGNAL = 128  # magnitude so low that phase cannot be trusted


SENTENCES: dict[Reason, str] = {
    Reason.EDGE: "closer to the liver edge than the margin",
    Reason.VESSEL: "vessel, fissure or gallbladder",
    Reason.LOW_CONFIDENCE: "confidence below the threshold",
    Reason.NO_VALUE: "no stiffness value",
    Reason.HOT_SPOT: "hot spot under the driver",
    Reason.SPECK: "isolated speck",
    Reason.LEFT_LOBE: "left lobe (right lobe only was asked for)",
    Reason.LOW_SIGNAL: "too little signal",
}
