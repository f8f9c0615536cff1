"""Learning curves for TensorBoard."""

from pathlib import Path


class TensorBoardCurves:
    """Writes the records of a run where `tensorboard --logdir RUN` finds them; a resumed run overwrites its tail."""

    def __init__(self, folder: Path, start: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder / "curves"), purge_step=start)

    def add(self, record: dict[str, float]) -> None:
        """One step."""
        step = int(record["step"])
        for name in ("loss", "dice", "rate"):
            self._writer.add_scalar(f"train/{name}", record[name], step)
        if "validation" in record:
            self._writer.add_scalar("validation/dice", record["validation"], step)

    def close(self) -> None:
        """Write what is still waiting; nothing more follows."""
        self._writer.close()
