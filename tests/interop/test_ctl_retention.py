"""What is kept for a time goes when that is over, by the sweep that the renewal's timer runs: the
real program, with its clock moved. And people are told their quotas."""

import json
import secrets

import pytest

from ftphome import ann  # noqa: F401  pylint: disable=unused-import
from ftps import PASSWORD, Ftps
from imaps import Imap, message
from instance import TOP, until
from ircs import Irc


def stats(own):
    return json.loads(own.ctl("--json", "stats").stdout)


def sweep(own, later):
    """As it will be run so much later."""
    done = own.run("/usr/bin/faketime", "-f", later, "./bin/quintetctl", "--json", "sweep", env={"NO_FAKE_STAT": "1"})
    return json.loads(done.stdout)


def fill(own):
    """Something of each kind that does not stay for ever."""
    own.account("ada", PASSWORD)
    with Irc(own, "ada", account=("ada", PASSWORD)) as irc:
        irc.join("#room")
        for i in range(5):
            irc.ask(f"PRIVMSG #room :{i} {secrets.token_hex(100)}")
    with Imap(own, "ada") as imap:
        imap.ok("SELECT INBOX")
        imap.append(message(msgid=secrets.token_hex(8)) + b"x" * 100000)
        imap.ok("STORE 1 +FLAGS (\\Deleted)")
        imap.ok("EXPUNGE")
    with Ftps(own) as ftp:
        ftp.login("ada")
        ftp.cut("/home/ada/half", b"x" * 50000)
    until(lambda: stats(own)["interrupted_uploads"] == 1, what="half of an upload is kept")


@pytest.mark.release_only
def test_time_deletes(make_instance):
    own = make_instance()
    for name in ("ftpd", "chatd", "maild"):
        own.start(name)
    fill(own)
    before = stats(own)
    blobs, temporaries = own.path("state/blobs"), own.path("state/files/home/ada")
    assert before["bodies_in_files"] == 1 and before["mail_expunged_bytes"] > 100000
    assert before["chat_events"] >= 6 and len(list(temporaries.glob(".quintet-*"))) == 1

    sweep(own, "+23h")
    now = stats(own)
    assert now["bodies_in_files"] == 1 and now["interrupted_uploads"] == 1

    sweep(own, "+8d")
    now = stats(own)
    assert now["bodies_in_files"] == now["mail_expunged_bytes"] == 0, "what was expunged"
    assert not [p for p in blobs.rglob("*") if p.is_file() and len(p.name) == 64]
    assert now["interrupted_uploads"] == now["interrupted_uploads_bytes"] == 0
    assert not list(temporaries.glob(".quintet-*")), "the temporary goes with it"
    assert now["chat_events"] >= 6

    sweep(own, "+91d")
    assert stats(own)["chat_events"] == 0, "what was said"
    own.ctl("check")

    rows = stats(own)["audit_rows"]
    assert rows > 10 and stats(own)["audit_closed"] == 0
    sweep(own, "+729d")
    assert stats(own)["audit_closed"] == 0
    sweep(own, "+731d")
    verified = json.loads(own.ctl("--json", "audit", "--verify").stdout)
    assert verified["intact"] and verified["closed_through"] == stats(own)["audit_closed"] >= rows - 1
    assert verified["closed_hash"] and verified["rows"] <= 3
    assert "audit-close" in own.ctl("audit", "list").stdout
    own.account("bob", PASSWORD)
    assert json.loads(own.ctl("--json", "audit", "--verify").stdout)["intact"], "it goes on"
    own.ctl("check")


def test_who_runs_it():
    """The timer's service sweeps."""
    unit = (TOP / "units/quintet-renew.service").read_text()
    assert "quintetctl sweep" in unit and "OnCalendar=" in (TOP / "units/quintet-renew.timer").read_text()


def test_the_record_is_kept_for_a_month_at_least(host):
    for value, status in (("29d", 1), ("0", 1), ("30d", 0)):
        host.ctl("set", "audit_keep", value, status=status)


def test_quotas_are_shown_to_their_owners(instance, ann):
    (ann.folder / "mine").write_bytes(b"x" * 1234)
    ann.run("ftp", "put", ann.folder / "mine", f"{ann.home}/mine")
    said = ann.json("whoami")
    assert said["files"] == "1" and said["files_use"] == f"1234 of {10 << 30} bytes"
    assert said["mail_use"] == f"0 of {1 << 30} bytes" and said["letters"] == "0"
    with Ftps(instance) as ftp:
        ftp.login(ann.name, "three gentle otters, 1987")
        assert 0 < int(ftp.expect(f"AVBL {ann.home}", 213).text) <= (10 << 30) - 1234
    with Imap(instance) as imap:
        imap.ok(f'LOGIN {ann.name} "three gentle otters, 1987"')
        assert "STORAGE 0 1048576" in str(imap.ok("GETQUOTAROOT INBOX"))
