"""What comes twice, late, changed, or back from the PACS."""

from pydicom import dcmread

from node.door.asking import data, state
from node.made import image, uid
from node.place import Here, Pacs, send, until


def test_twice_the_same_is_one(node: Here) -> None:
    assert send(node.port, [image("twice", 1), image("twice", 1)]) == [0, 0]
    until(lambda: state(node, "twice") == "done")
    assert send(node.port, [image("twice", 1)]) == [0]
    rows = node.node.journal.ask("SELECT * FROM instances WHERE sop_uid=?", uid("image", "twice", 1))
    history = node.node.journal.ask("SELECT event FROM history WHERE study=?", rows[0]["study"])
    assert len(rows) == 1 and [h["event"] for h in history].count("analysing") == 1


def test_same_uid_with_other_bytes_is_kept_apart_and_flagged(node: Here) -> None:
    assert send(node.port, [image("double", 1), image("double", 1, seed=9)]) == [0, 0]
    until(lambda: state(node, "double") == "done")
    rows = node.node.journal.ask("SELECT * FROM instances WHERE sop_uid=? ORDER BY arrived", uid("image", "double", 1))
    assert [r["kind"] for r in rows] == ["image", "conflict"]
    assert all(node.node.spool.place(r["study"], r["name"]).is_file() for r in rows)
    made = node.node.journal.ask("SELECT path FROM objects WHERE study=?", rows[0]["study"])
    alone = node.node.journal.ask(
        "SELECT count(*) AS n FROM history WHERE study=? AND event='conflict'", rows[0]["study"]
    )
    assert len(made) == 1 and alone[0]["n"] == 1


def test_a_late_image_makes_a_new_revision(node: Here, pacs: Pacs) -> None:
    send(node.port, [image("late", 1)])
    until(lambda: state(node, "late") == "done")
    send(node.port, [image("late", 2)])
    until(
        lambda: (
            node.node.journal.ask("SELECT revision FROM studies WHERE uid=?", uid("study", "late"))[0]["revision"] == 2
        )
    )
    until(lambda: state(node, "late") == "done")
    objects = node.node.journal.ask(
        "SELECT o.* FROM objects o JOIN studies s ON s.id=o.study WHERE uid=? ORDER BY run", uid("study", "late")
    )
    assert [o["revision"] for o in objects] == [1, 2] and all(pacs.stored[o["sop_uid"]] == 1 for o in objects)


def test_our_own_result_coming_back_starts_nothing(node: Here) -> None:
    send(node.port, [image("back", 1)])
    until(lambda: state(node, "back") == "done")
    (row,) = node.node.journal.ask(
        "SELECT o.* FROM objects o JOIN studies s ON s.id=o.study WHERE uid=?", uid("study", "back")
    )
    ours = dcmread(data(node) / row["path"])
    ours.InstitutionName = "coerced by the PACS"
    assert send(node.port, [ours]) == [0]
    (study,) = node.node.journal.ask("SELECT * FROM studies WHERE uid=?", uid("study", "back"))
    assert (study["state"], study["revision"]) == ("done", 1)


def test_results_of_another_livermre_start_nothing(node: Here) -> None:
    """A PACS that passes on what `livermre analyze` or another node sent: neither a new study nor a new revision."""
    send(node.port, [image("other", 1)])
    until(lambda: state(node, "other") == "done")
    made = {"Manufacturer": "The livermre developers", "ManufacturerModelName": "livermre"}
    assert send(node.port, [image("other", 2, **made), image("never seen", 1, **made)]) == [0, 0]
    until(lambda: state(node, "never seen") == "refused")
    (study,) = node.node.journal.ask("SELECT * FROM studies WHERE uid=?", uid("study", "other"))
    assert (study["state"], study["revision"]) == ("done", 1)
    assert send(node.port, [image("other", 3, **{**made, "ManufacturerModelName": "livermre imitation"})]) == [0]
    until(lambda: state(node, "other") == "done")
    (study,) = node.node.journal.ask("SELECT * FROM studies WHERE uid=?", uid("study", "other"))
    assert study["revision"] == 2
