"""Source headers for those who write DICOM later: read from the bytes at hand, parsed when somebody asks."""

from collections.abc import Iterator, Sequence
from typing import overload

from pydicom.dataset import Dataset

from livermre.dicom.files import DicomFile, read_dataset


class SourceHeaders(Sequence[Dataset]):
    """Datasets without pixels of some files, in their order; each is parsed once, at its first use.

    Most readers of an exam never look at them, and parsing takes longer than all the rest of a header's reading.
    CorruptFile where a file has changed or gone since the exam was read.
    """

    def __init__(self, files: Sequence[DicomFile]) -> None:
        self._files = tuple(files)
        self._parsed: dict[int, Dataset] = {}

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[Dataset]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> Dataset: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Dataset, ...]: ...

    def __getitem__(self, index: int | slice) -> Dataset | tuple[Dataset, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        place = range(len(self))[index]
        if place not in self._parsed:
            self._parsed[place] = read_dataset(self._files[place].path, pixels=False)
        return self._parsed[place]
