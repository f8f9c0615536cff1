"""Run apart: a small study that ends by SIGKILL at a word of its progress, as when power fails or memory runs out."""

import os
import re
import signal
import sys
from pathlib import Path

from livermre.study.experiment import StudyRequest, do_study
from livermre.study.settings import StudySettings
from livermre.train import loop
from livermre.train.classes import CLASSES
from livermre.train.network import UNet

SETTINGS = StudySettings(
    networks=("unet",), seeds=(1,), size=32, images=64, batch=8, peak_rate=3e-2, ema=0.8, validate_every=2, threads=1,
    zero_shot=False, draws=200, weights="fp32",
)  # fmt: skip


def narrow(name: str) -> UNet:
    """A U-Net of the same shape with few channels."""
    return UNet(3, len(CLASSES), width=4)


if __name__ == "__main__":
    word, count = sys.argv[3], int(sys.argv[4])

    def report(text: str, done: int, total: int) -> None:
        """Progress that kills."""
        if re.search(word, text) and done == count:
            os.kill(os.getpid(), signal.SIGKILL)

    loop.build = narrow
    do_study(StudyRequest(Path(sys.argv[1]), Path(sys.argv[2]), SETTINGS), report)
