"""What the tests ask a running node for."""

from pathlib import Path

from pydicom.dataset import Dataset

from node.made import uid
from node.place import Here

COMMITMENT = "1.2.840.10008.1.20.1"


def state(node: Here, study: object) -> str:
    found = node.node.journal.ask("SELECT state FROM studies WHERE uid=?", uid("study", study))
    return found[0]["state"] if found else ""


def data(node: Here) -> Path:
    return node.node.config.node.data


def asked(*images: Dataset) -> Dataset:
    request = Dataset()
    request.TransactionUID = uid("transaction", *(i.SOPInstanceUID for i in images))
    request.ReferencedSOPSequence = []
    for i in images:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = i.SOPClassUID, i.SOPInstanceUID
        request.ReferencedSOPSequence.append(item)
    return request
