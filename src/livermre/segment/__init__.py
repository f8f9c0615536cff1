"""Where the liver is: probability and outline from the magnitude image."""

from livermre.segment.engine import ModelFile, find_model
from livermre.segment.segmenter import Segmenter, load_segmenter

__all__ = ["ModelFile", "Segmenter", "find_model", "load_segmenter"]
