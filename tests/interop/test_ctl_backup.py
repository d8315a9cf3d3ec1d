"""A backup that is taken while people chat, write mail, upload and sign up, brought back on another
machine: nothing is missing that was acknowledged before it began, and all runs on."""

import contextlib
import hashlib
import json
import re
import shutil
import threading
import time

import pytest

import talk
from cadtools import form
from ftps import PASSWORD, Ftps
from imaps import Imap
from instance import Instance, until
from ircs import Irc
from smtps import Smtps, inbox, letter

LOAD_S = 1.5  # before the backup begins


class Load:
    """Threads that do one thing after the other and note what was acknowledged."""

    def __init__(self, own):
        self.own, self.over, self.wrong = own, threading.Event(), []
        self.done = {"chat": [], "mail": [], "files": [], "names": []}
        self.threads = [threading.Thread(target=self.go, args=(act,))
                        for act in (self.chat, self.mail, self.files, self.sign_ups)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        assert not self.wrong, self.wrong

    def go(self, act):
        try:
            act()
        except Exception as error:  # pylint: disable=broad-except
            self.wrong.append(repr(error))

    def chat(self):
        with Irc(self.own, "ada", caps=["echo-message"], account=("ada", PASSWORD)) as irc:
            irc.join("#load")
            n = 0
            while not self.over.is_set():
                text = f"said {n}"
                if any(m.verb == "PRIVMSG" and m.text == text for m in irc.ask(f"PRIVMSG #load :{text}")):
                    self.done["chat"].append(text)
                n += 1
                time.sleep(0.12)  # below the flood's limit

    def mail(self):
        with Smtps(self.own, "bob") as smtp:
            n = 0
            while not self.over.is_set():
                body = f"letter {n} " + "x" * (150000 if n % 5 == 0 else 10)
                smtp.message("bob", ["ada"], letter("bob", f"letter {n}", body=re.sub("(.{70})", "\\1\r\n", body)))
                self.done["mail"].append(f"letter {n}")
                n += 1

    def files(self):
        with Ftps(self.own) as ftp:
            ftp.login("ada")
            n = 0
            while not self.over.is_set():
                content = f"file {n}".encode() * 2000
                assert ftp.put(f"/shared/f{n}", content).code == 226
                self.done["files"].append((f"f{n}", content))
                n += 1

    def sign_ups(self):
        n = 0
        while not self.over.is_set():
            name = f"new{n}"
            assert form(self.own, "/account/create", {"name": name, "password": PASSWORD})[0] == 201
            self.done["names"].append(name)
            n += 1

    def so_far(self):
        return {kind: list(things) for kind, things in self.done.items()}


def validity(own):
    with Imap(own, "ada") as imap:
        return int(re.search(rb"UIDVALIDITY (\d+)", b"".join(imap.ok("EXAMINE INBOX")))[1])


def moved(own):
    """Another machine: the backup and what lies in CONF are all that it gets."""
    other = Instance(init=False)
    for folder in ("conf", "copy"):
        shutil.copytree(own.path(folder), other.path(folder))
        other.give(other.path(folder))
    for folder in ("runtime", "runtime/bells", "runtime/locks"):
        other.path(folder).mkdir(mode=0o770)
        other.give(other.path(folder))
    (other.path("conf") / "quintet.env").unlink(missing_ok=True)  # it names the other's ports
    return other


def said_in(irc, channel):
    texts, before = set(), "*"
    while True:
        got = [m for m in irc.ask(f"CHATHISTORY BEFORE {channel} {before} 100" if before != "*" else
                                  f"CHATHISTORY LATEST {channel} * 100") if m.verb == "PRIVMSG"]
        if not got:
            return texts
        texts |= {m.text for m in got}
        before = f"msgid={got[0].id}"


def check_contents(other, acknowledged):
    caps = ["draft/chathistory", "batch", "message-tags", "server-time"]
    with Irc(other, "ada", caps=caps, account=("ada", PASSWORD)) as irc:
        assert set(acknowledged["chat"]) <= said_in(irc, "#load")
    subjects = {re.search(rb"Subject: (.*)\r\n", m)[1].decode() for m in inbox(other, "ada")}
    assert set(acknowledged["mail"]) <= subjects
    for name, content in acknowledged["files"]:
        kept = other.path(f"state/files/shared/{name}").read_bytes()
        assert hashlib.sha256(kept).digest() == hashlib.sha256(content).digest(), name
    known = {row["name"] for row in json.loads(other.ctl("--json", "user", "list").stdout)}
    assert set(acknowledged["names"]) <= known
    with Ftps(other) as ftp:
        ftp.login(acknowledged["names"][-1])


@pytest.mark.release_only
def test_backup_under_load(make_instance):
    own = make_instance()
    own.start_all()
    own.ctl("set", "signup", "open")
    for name in ("ada", "bob"):
        own.account(name, PASSWORD)
    pair = own.enroll("ada", PASSWORD)
    before_validity = validity(own)
    with Load(own) as load:
        time.sleep(LOAD_S)
        until(lambda: all(load.done.values()), what="everybody is at work")
        acknowledged = load.so_far()
        own.ctl("backup", "copy")
        after = load.so_far()
    assert all(len(after[kind]) >= len(acknowledged[kind]) > 0 for kind in after)
    print({kind: (len(things), len(after[kind])) for kind, things in acknowledged.items()})
    for service in own.services:
        service.stop()

    with contextlib.closing(moved(own)) as other:
        other.ctl("restore", "copy")
        other.ctl("check")
        assert json.loads(other.ctl("--json", "audit", "--verify").stdout)["intact"]
        other.start_all()
        check_contents(other, acknowledged)
        assert validity(other) > before_validity, "UIDs could have been given twice"
        with talk.Dialogue(other, other.ports["daytime"], cert=pair) as dialogue:
            assert dialogue.ask("whoami") == "whoami ada", "the same people, by the same certificates"
        with Smtps(other, "bob") as smtp:
            smtp.message("bob", ["ada"], letter("bob", "afterwards"))
        assert any(b"Subject: afterwards\r\n" in m for m in inbox(other, "ada"))
        assert all(row["state"] != "FAILED" for row in json.loads(other.ctl("--json", "doctor").stdout))
