"""Source headers for those who write DICOM later: read from the bytes at hand, parsed when somebody asks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from pydicom.dataset import Dataset

from livermre.dicom.files import DicomFile, read_dataset


@dataclass(frozen=True)
class SourceImage:
    """Which stored image a slice came from.

    header  place of its header among the headers
    frame   frame number within the object, from 1; None where the object holds one image (or one mosaic)
    """

    header: int
    frame: int | None
    sop_class: str
    sop_instance: str
    series: str


class SourceHeaders(Sequence[Dataset]):
    """Datasets without pixels of some files, in their order; each is parsed once, at its first use.

    Most readers of an exam never look at them, and parsing takes longer than all the rest of a header's reading.
    CorruptFile where a file has changed or gone since the exam was read.

    maps        for each slice, foot to head, the image of the scanner's stiffness map; empty where there is no map
    magnitudes  for each slice the first of its magnitude images
    """

    def __init__(
        self,
        files: Sequence[DicomFile],
        maps: Sequence[SourceImage] = (),
        magnitudes: Sequence[SourceImage] = (),
    ) -> None:
        self._files = tuple(files)
        self.maps, self.magnitudes = tuple(maps), tuple(magnitudes)
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
