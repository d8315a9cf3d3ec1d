"""Clients that mean ill, and clients that are only unlucky."""

from ftpdhouse import a, b, leftovers, name, people  # noqa: F401

QUOTES = '"' * 250


def test_refused_continuation_keeps_the_partial(a, name):
    assert a.cut(f"/shared/{name}", b"x" * 5000).code == 426
    a.expect("REST 5000", 350)
    assert a.ask(f"STOR /shared/{name}").code == 425
    assert a.expect(f"SIZE /shared/{name}", 213).text == "5000"
    a.expect("REST 5000", 350)
    assert a.put(f"/shared/{name}", b"y").code == 226
    assert a.get(f"RETR /shared/{name}") == b"x" * 5000 + b"y"


def test_partial_removed_by_another_session(instance, a, name, people):
    """What a session goes on with has no row after DELE: it may not stay uncounted."""
    before = leftovers(instance)
    assert a.cut(f"/shared/{name}", b"x" * 5000).code == 426
    with type(a)(instance) as other:
        other.login(people[0])
        other.passive()
        other.expect("REST 5000", 350)
        other.send(f"STOR /shared/{name}")
        other.expect("STAT", 211, 213)  # it has begun: lines are run in order
        a.expect(f"SITE DROP /shared/{name}", 450)
        a.expect(f"DELE /shared/{name}", 250)
        assert other.ask("ABOR").code == 426
        assert other.reply().code == 226
    assert leftovers(instance) == before


def test_times_that_nobody_can_count(a, name):
    assert a.put(f"/home/probea/{name}", b"x").code == 226
    for when in ("99991231235959", "00010101000000", "22620411234717", "16770921001243"):
        a.expect(f"MFMT {when} /home/probea/{name}", 213)
        assert "X.sha256" in a.expect(f"MLST /home/probea/{name}", 250).text


def test_paths_of_quotes_are_told_whole(a):
    path = "/home/probea"
    while len(path) + 251 < 2040:
        path += "/" + QUOTES
        a.ask(f"MKD {path}")
    path += "/" + "x" * (2047 - len(path))
    reply = a.cut(path, b"abc")
    assert reply.code == 426
    assert reply.text.endswith(", at byte 3."), reply.text[-100:]
    assert path.replace('"', '""') in reply.text


def test_a_part_does_not_replace_the_whole(a, name):
    assert a.put(f"/shared/{name}", b"0123456789").code == 226
    for command in ("STOR", "APPE"):
        a.expect("RANG 2 5", 350)
        a.passive()
        a.expect(f"{command} /shared/{name}", 554)
    assert a.get(f"RETR /shared/{name}") == b"0123456789"
    a.expect("RANG 2 5", 350)
    a.expect("RANG 1 0", 350)
    assert a.put(f"/shared/{name}", b"whole").code == 226


def test_folders_in_the_way_of_partials(instance, a, b, name):
    """A folder of an interrupted upload's name takes nothing from it."""
    before = leftovers(instance)
    assert a.cut(f"/shared/{name}", b"x" * 5000).code == 426
    for client in (b, a):
        client.expect(f"MKD /shared/{name}", 257)
        client.expect(f"RMD /shared/{name}", 250)
        client.expect(f"MKD /shared/{name}", 257)
        client.expect(f"SITE RMTREE /shared/{name}", 350)
        client.expect(f"SITE RMTREE /shared/{name}", 250)
    assert a.expect(f"SIZE /shared/{name}", 213).text == "5000"
    a.expect(f"SITE DROP /shared/{name}", 250)
    assert leftovers(instance) == before
