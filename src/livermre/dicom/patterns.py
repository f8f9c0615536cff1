"""What the rules of vendors.py look for in a header."""

import re
from collections.abc import Callable

from livermre.dicom.header import Header, Tag, describe


def vendor(header: Header) -> str:
    """Short vendor name; 'unknown' where the header names none that has rules."""
    maker = header.text(Tag.MANUFACTURER).lower()
    for name, pattern in (
        ("GE", r"^ge\b|general electric"),
        ("Siemens", r"siemens"),
        ("Philips", r"philips"),
        ("Canon", r"canon|toshiba"),
        ("UIH", r"uih|united imaging"),
    ):
        if re.search(pattern, maker):
            return name
    return "unknown"


def has_type(header: Header, *words: str) -> bool:
    """Whether Image Type (or Frame Type) has all the given words."""
    return set(words) <= set(header.words(Tag.IMAGE_TYPE))


def says(header: Header, pattern: str) -> bool:
    """Whether description, protocol or comments match a pattern (lower case)."""
    return re.search(pattern, describe(header)) is not None


def sequence_name(header: Header) -> str:
    """The sequence as its vendor names it; empty when the header does not say."""
    for tag in (Tag.GE_SEQUENCE, Tag.SEQUENCE_NAME, Tag.PULSE_SEQUENCE_NAME):
        if header.text(tag) and (tag != Tag.GE_SEQUENCE or vendor(header) == "GE"):
            return header.text(tag)
    return ""


def other(header: Header) -> bool:
    """Whether the modality is not MR."""
    return header.text(Tag.MODALITY) != "MR"


def coloured(header: Header) -> bool:
    """Whether the pixels are colours."""
    gray = header.text(Tag.PHOTOMETRIC) in ("MONOCHROME1", "MONOCHROME2", "")
    return not gray or header.integer(Tag.SAMPLES, 1) > 1


def captured(header: Header) -> bool:
    """Whether the object is a secondary capture."""
    return header.text(Tag.SOP_CLASS).startswith("1.2.840.10008.5.1.4.1.1.7")


def mask(header: Header) -> bool:
    """Whether the images are masks: 8 bit, in a series base + 98 or + 99, or named so."""
    series = header.integer(Tag.SERIES_NUMBER)
    named = says(header, r"\broi\b|\bmask\b|segment|mre.?quant")
    return header.integer(Tag.BITS_ALLOCATED) == 8 and (series % 100 in (98, 99) or named)


MASKED = r"stiff.*(hatch|mask|overlay|blend|\b95\b|95 ?%|conf)|(hatch|mask|overlay).*stiff"


def companion(header: Header) -> bool:
    """Whether the image shows fat, water or R2*."""
    words = {"FAT_FRACTION", "FAT_FRAC", "FF", "WATER", "W", "F", "R2_STAR", "R2_STAR_MAP", "T2_STAR", "PDFF"}
    return bool(words & set(header.words(Tag.IMAGE_TYPE))) or "ideal" in header.text(Tag.GE_SEQUENCE).lower()


def ge(header: Header, *sequences: str) -> bool:
    """Whether a GE header names one of the given sequences (lower case beginnings)."""
    name = header.text(Tag.GE_SEQUENCE).lower()
    return vendor(header) == "GE" and any(name.startswith(s) for s in sequences)


GE_MRE = ("mr-touch", "mr touch", "fgremre", "epimre", "iqmre", "se_iron_mre", "gremre")


def ge_map(word: str) -> Callable[[Header], bool]:
    """A test for derived images of a GE MRE sequence whose text matches a pattern."""
    return lambda h: ge(h, *GE_MRE) and has_type(h, "DERIVED") and says(h, word)


def ge_directions(header: Header) -> int:
    """How many motion directions a GE header says were encoded; 0 where it does not say."""
    return max(header.integer(Tag.GE_DIRECTIONS_EPI), header.integer(Tag.GE_DIRECTIONS_GRE))


def ge_epi_extra(header: Header) -> bool:
    """Whether a GE research image is one that nobody measures."""
    name = header.text(Tag.SERIES_DESCRIPTION).lower()
    extras = ("pe", "fe", "ss", "storage", "loss", "divergence", "rgb", "curl", "damping", "octahedral")
    return ge(header, *GE_MRE) and re.match(rf"({'|'.join(extras)})\b", name) is not None


def siemens_mre(header: Header) -> bool:
    """Whether a Siemens header belongs to an elastography sequence."""
    if vendor(header) != "Siemens":
        return False
    sequence = header.text(Tag.SEQUENCE_NAME) + " " + header.text(Tag.PULSE_SEQUENCE_NAME)
    named = re.search(r"greMR|epiMR|epseM|WIP_epseMRE|WIP_e_", sequence)
    return bool(named) or has_type(header, "ELASTO") or says(header, r"(?<![a-z])mre(?![a-z])|elasto")


def siemens(kind: str, component: str) -> Callable[[Header], bool]:
    """A test for acquired Siemens MRE images of one kind (Image Type M or P, or complex component)."""

    def match(header: Header) -> bool:
        typed = has_type(header, kind) or component in header.words(Tag.COMPLEX_COMPONENT)
        return siemens_mre(header) and typed and not has_type(header, "WV")

    return match


def philips(header: Header, *words: str) -> bool:
    """Whether a Philips image is ORIGINAL and has all the given words in its Image Type."""
    return vendor(header) == "Philips" and has_type(header, "ORIGINAL", *words)


def philips_magnitude(header: Header) -> bool:
    """Whether a Philips image looks like the magnitude of an MRE, which other methods look like as well."""
    return philips(header, "M") and any(has_type(header, w) for w in ("M_SE", "FFE", "SE", "M_FFE", "MRE"))


def canon(word: str) -> Callable[[Header], bool]:
    """A test for Canon images by a word in Image Comments."""

    def match(header: Header) -> bool:
        return vendor(header) == "Canon" and word in header.text(Tag.COMMENTS).lower()

    return match


def mre_named(header: Header) -> bool:
    """Whether a text or type of the header says elastography."""
    return (
        says(header, r"(?<![a-z])mre(?![a-z])|elasto|mr.?touch")
        or has_type(header, "ELASTO")
        or has_type(header, "MRE")
    )


def named(word: str, kind: str) -> Callable[[Header], bool]:
    """A test for elastography images of any vendor by words in the text or a word in Image Type."""

    def match(header: Header) -> bool:
        return mre_named(header) and (says(header, word) or has_type(header, kind))

    return match


STIFF = r"stiff|elastogram|elasticity|shear modulus"
CONF = r"confiden|conf.?map"
WAVE = r"\bwave|shear wave|waveimage"
