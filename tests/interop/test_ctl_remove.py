"""quintetctl user remove: sessions in all services end at once, and files and mail fare as was said."""

import json
import secrets
import select
import time

import pytest

import talk
from ftps import PASSWORD, Ftps
from imaps import Imap
from instance import until
from ircs import Irc
from smtps import Smtps, inbox, letter

WITHIN_S = 5.0  # a second, and some for a busy machine; without bells it would be 15


@pytest.fixture
def name(instance):
    """An account of the test's own."""
    made = "r" + secrets.token_hex(5)
    instance.account(made, PASSWORD)
    return made


@pytest.fixture
def heir(instance):
    made = "h" + secrets.token_hex(5)
    instance.account(made, PASSWORD)
    return made


def shown(instance, name):
    return json.loads(instance.ctl("--json", "user", "show", name).stdout)


def ask_account(instance, pair):
    """A connection to cad that has said who it is and stays."""
    tls = talk.connect(instance, instance.ports["ca"], cert=pair, alpn=["http/1.1"])
    tls.sendall(b"GET /account HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b"200 OK" in tls.recv(65536)
    return tls


# -- sessions -----------------------------------------------------------------------------------


def ends(sockets, start):
    """When each of them ended."""
    left, times = dict(sockets), {}
    while left and time.monotonic() < start + 30:
        for name, tls in list(left.items()):
            readable = tls.pending() or select.select([tls], [], [], 0.01)[0]
            if readable and tls.recv(65536) == b"":
                times[name] = time.monotonic() - start
                del left[name]
    assert not left, left
    return times


def test_sessions_end_everywhere(instance, name):
    pair = instance.enroll(name, PASSWORD)
    ftp = Ftps(instance)
    ftp.login(name)
    dialogue = talk.Dialogue(instance, instance.ports["daytime"], cert=pair)
    assert dialogue.ask("whoami") == f"whoami {name}"
    open_ones = {"daytimed": dialogue.tls, "ftpd": ftp.tls,
                 "chatd": Irc(instance, name, account=(name, PASSWORD)).tls, "imap": Imap(instance, name).socket,
                 "submission": Smtps(instance, name).tls, "cad": ask_account(instance, pair)}
    until(lambda: shown(instance, name)["live_sessions"] == len(open_ones), what="all are registered")
    start = time.monotonic()
    said = instance.ctl("user", "remove", name).stdout
    times = ends(open_ones, start)
    assert max(times.values()) < WITHIN_S, times
    assert "certificates revoked: 1" in said and "sessions have ended: 6" in said
    with Ftps(instance) as again:
        again.expect(f"USER {name}", 331)
        again.expect(f"PASS {PASSWORD}", 530)
    assert "account-remove" in instance.ctl("audit", "--account", name).stdout


# -- files --------------------------------------------------------------------------------------


def fill(instance, name):
    """Files at home and in /shared, one of them in a folder with somebody else's, one dropped in."""
    with Ftps(instance) as ftp:
        ftp.login(name)
        for folder in (f"/home/{name}/deep", f"/home/{name}/deep/er", f"/shared/{name}", f"/shared/{name}/in"):
            ftp.expect(f"MKD {folder}", 257)
        for path in (f"/home/{name}/deep/er/one", f"/shared/{name}/two", f"/shared/{name}/in/three"):
            ftp.put(path, path.encode())
        ftp.cut(f"/shared/{name}/half", b"x" * 5000)
    until(lambda: shown(instance, name)["interrupted_uploads_bytes"] > 0, what="half of an upload is kept")
    dropped = instance.path(f"state/files/home/{name}/dropped")
    dropped.write_text("by hand")
    instance.give(dropped)
    return instance.path("state/files/shared") / name


def test_files_are_deleted(instance, name, heir):
    shared = fill(instance, name)
    with Ftps(instance) as ftp:
        ftp.login(heir)
        ftp.put(f"/shared/{name}/in/theirs", b"somebody else's")
    said = instance.ctl("user", "remove", "--files", "delete", name).stdout
    assert "in /shared files: 2, folders: 0. Folders that hold what is others', and are nobody's now: 2." in said
    assert not instance.path(f"state/files/home/{name}").exists()
    assert [p.name for p in sorted(shared.rglob("*"))] == ["in", "theirs"]
    assert instance.ctl("user", "remove", name, check=False).returncode == 1, "nothing is left of it"
    instance.ctl("check")


def test_files_are_given(instance, name, heir):
    shared = fill(instance, name)
    before = shown(instance, name)
    said = instance.ctl("user", "remove", "--files", "give", "--to", heir, name).stdout
    assert f"Its files are {heir}'s now; files: 3, folders: 4" in said
    assert (shared / "two").exists() and not (shared / "half").exists()
    assert not list(shared.glob(".quintet-*")), "nobody goes on with half an upload"
    with Ftps(instance) as ftp:
        ftp.login(heir)
        place = f"/home/{heir}/{name}"
        assert sorted(ftp.names(place)) == [f"{place}/deep", f"{place}/dropped"]
        ftp.expect(f"DELE /home/{heir}/{name}/deep/er/one", 250)
        ftp.expect(f"DELE /shared/{name}/in/three", 250)
    assert shown(instance, heir)["files"] == before["files"] - 2
    instance.ctl("check")


def test_files_are_kept_and_disposed_of_later(instance, name, heir):
    shared = fill(instance, name)
    said = instance.ctl("user", "remove", name).stdout
    assert "Its files stay: 3" in said and (shared / "two").exists()
    said = instance.ctl("user", "remove", "--files", "give", "--to", heir, name).stdout
    assert f"no account {name} any more" in said and shown(instance, heir)["files"] == 3
    assert instance.ctl("user", "remove", "--files", "delete", name, check=False).returncode == 1
    instance.ctl("check")


def test_no_heir_no_removal(instance, name, heir):
    fill(instance, name)
    for args, status in ((("--files", "give"), 100), (("--to", heir), 100), (("--files", "burn"), 100),
                         (("--mail", "burn"), 100), (("--files", "give", "--to", name), 1),
                         (("--files", "give", "--to", "nobody-there"), 1)):
        assert instance.ctl("user", "remove", *args, name, check=False).returncode == status, args
    instance.ctl("set", "files_quota", "10")
    try:
        refused = instance.ctl("user", "remove", "--files", "give", "--to", heir, name, check=False)
        assert refused.returncode == 1 and "quota" in refused.stderr
    finally:
        instance.ctl("set", "files_quota", "--default")
    assert shown(instance, name)["files"] == 3, "it is all there"


# -- mail ---------------------------------------------------------------------------------------


def deliver(instance, sender, name):
    with Smtps(instance, sender) as smtp:
        smtp.message(sender, [name], letter(sender, "keep this", body=secrets.token_hex(20)))


def bodies(instance):
    stats = json.loads(instance.ctl("--json", "stats").stdout)
    return stats["bodies_in_store"] + stats["bodies_in_files"]


def test_mail_is_deleted(instance, name, heir):
    instance.ctl("sweep")
    before = bodies(instance)
    deliver(instance, heir, name)
    assert bodies(instance) == before + 1
    said = instance.ctl("user", "remove", name).stdout
    assert "mail is removed; messages: 1" in said
    instance.ctl("sweep")
    assert bodies(instance) == before, "its room is free again"


def test_mail_is_kept(instance, name, heir):
    deliver(instance, heir, name)
    said = instance.ctl("user", "remove", "--mail", "keep", name).stdout
    assert "mail is kept; messages: 1" in said
    with Smtps(instance, heir) as smtp:
        smtp.expect(f"MAIL FROM:<{heir}@quintet.test>", 250)
        assert smtp.ask(f"RCPT TO:<{name}@quintet.test>").code == 550
    instance.ctl("sweep")
    instance.ctl("check")
    instance.account(name, PASSWORD)
    assert len(inbox(instance, name)) == 1
    instance.ctl("user", "remove", "--mail", "keep", name)
    assert "mail is removed; messages: 1" in instance.ctl("user", "remove", "--mail", "delete", name).stdout
    assert instance.ctl("user", "remove", "--mail", "delete", name, check=False).returncode == 1
