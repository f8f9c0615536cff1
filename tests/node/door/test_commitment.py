"""Storage commitment (PS3.4, annex J): on the same association, on the peer's own port, and nonsense."""

from typing import Any

from pynetdicom import AE, evt

from node.door.asking import COMMITMENT, asked
from node.made import image
from node.place import Here, associate, until


def test_commitment_on_the_same_association(node: Here) -> None:
    here, nowhere, reports = image("commit", 1), image("commit", 99), []

    def report(event: Any) -> tuple[int, None]:
        reports.append((event.event_type, event.event_information))
        return 0, None

    association = associate(node.port, evt_handlers=[(evt.EVT_N_EVENT_REPORT, report)])
    assert association.send_c_store(here).Status == 0
    status, _ = association.send_n_action(asked(here, nowhere), 1, COMMITMENT, f"{COMMITMENT}.1")
    assert status.Status == 0
    until(lambda: bool(reports) and not node.node.journal.commitments())
    association.release()
    ((kind, told),) = reports
    assert kind == 2  # some are not here
    assert [i.ReferencedSOPInstanceUID for i in told.ReferencedSOPSequence] == [here.SOPInstanceUID]
    failed = told.FailedSOPSequence[0]
    assert (failed.ReferencedSOPInstanceUID, failed.FailureReason) == (nowhere.SOPInstanceUID, 0x0112)
    assert told.TransactionUID == asked(here, nowhere).TransactionUID


def test_commitment_is_answered_on_the_peers_own_port(node: Here, peer_port: int) -> None:
    """Also when the peer was not listening at first."""
    here, reports = image("commit", 2), []
    association = associate(node.port, "STORESCU")
    assert association.send_c_store(here).Status == 0
    assert association.send_n_action(asked(here), 1, COMMITMENT, f"{COMMITMENT}.1")[0].Status == 0
    association.release()

    def report(event: Any) -> tuple[int, None]:
        reports.append((event.event_type, event.event_information))
        return 0, None

    ae = AE("STORESCU")
    ae.add_supported_context(COMMITMENT, scu_role=True, scp_role=True)
    server = ae.start_server(("127.0.0.1", peer_port), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, report)])
    until(lambda: bool(reports))
    server.shutdown()
    assert reports[0][0] == 1 and "FailedSOPSequence" not in reports[0][1]
    until(lambda: not node.node.journal.commitments())


def test_commitment_with_nonsense(node: Here) -> None:
    association = associate(node.port)
    nameless = asked(image("x", 1))
    del nameless.TransactionUID
    assert association.send_n_action(nameless, 1, COMMITMENT, f"{COMMITMENT}.1")[0].Status == 0x0115
    assert association.send_n_action(asked(image("x", 1)), 7, COMMITMENT, f"{COMMITMENT}.1")[0].Status == 0x0123
    association.release()
