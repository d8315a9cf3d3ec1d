"""Mail while sessions are killed at random: what was acknowledged is there, and nothing is there twice.
A sender whose 250 was lost tries again, and the recipient has one message."""

import contextlib
import os
import random
import re
import signal
import smtplib
import ssl
import threading
import time

from audit import check_store
from counters import STORE_PHASES, Counters
from imaps import PASSWORD, Imap, Refused
from instance import until
from mailers import Smtp

SENDERS, APPENDERS, MOVERS, KILLS = 3, 2, 2, 60
LOST = (OSError, EOFError, ssl.SSLError, smtplib.SMTPException)
TEXT = "From: {who}@quintet.test\r\nTo: box@quintet.test\r\nMessage-ID: <{who}.{n}@quintet.test>\r\n" \
       "Subject: {who} {n}\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n\r\n{body}\r\n"


class Worker(threading.Thread):
    """Does one thing again and again, over a connection that may end at any moment."""

    def __init__(self, instance, name, seed):
        super().__init__(daemon=True)
        self.instance, self.account = instance, name
        self.rng = random.Random(seed)
        self.halt = threading.Event()
        self.n = 0
        self.acknowledged = set()
        self.wrong = None

    def run(self):
        while not self.halt.is_set():
            try:
                with contextlib.suppress(*LOST):
                    self.live()
            except AssertionError as error:
                self.wrong = error
                return

    def text(self):
        body = "x" * self.rng.choice((10, 1000, 20000, 90000))
        return TEXT.format(who=self.account, n=self.n, body=re.sub("(.{70})", "\\1\r\n", body))


class Sender(Worker):
    """Submits, and the same again until it is told that it was taken."""

    def __init__(self, *args):
        super().__init__(*args)
        self.current = self.text()

    def live(self):
        smtp = Smtp(self.instance, self.account)
        while not self.halt.is_set():
            smtp.sendmail(f"{self.account}@quintet.test", ["box@quintet.test", f"{self.account}@quintet.test"],
                          self.current)
            self.acknowledged.add(f"{self.account} {self.n}")
            self.n += 1
            self.current = self.text()


class Appender(Worker):
    """Appends to the box; what was not acknowledged is not tried again."""

    def live(self):
        with Imap(self.instance, "box") as imap:
            while not self.halt.is_set():
                self.n += 1
                imap.append(self.text().encode(), "INBOX")
                self.acknowledged.add(f"{self.account} {self.n}")


class Mover(Worker):
    """Moves messages to and fro and sets flags: none may get lost or doubled on the way."""

    def live(self):
        with Imap(self.instance, "box") as imap:
            while not self.halt.is_set():
                here, there = self.rng.choice((("INBOX", "Archive"), ("Archive", "INBOX")))
                imap.ok(f"SELECT {here}")
                with contextlib.suppress(Refused):
                    imap.ok(f"MOVE {self.rng.randint(1, 5)} {there}")
                    imap.ok(f"STORE {self.rng.randint(1, 5)} +FLAGS (\\Seen)")


def kill_some(services, counters, rng):
    """Ends sessions wherever they are, and some in the middle of a commit."""
    for i in range(KILLS):
        if i % 3 == 0:
            counters.strike(rng.choice(STORE_PHASES), rng.randint(1, 3))
            continue
        time.sleep(rng.random() * 0.1)
        with contextlib.suppress(ProcessLookupError):
            os.kill(rng.choice(until(rng.choice(services).sessions, what="a session")), signal.SIGKILL)


def subjects(imap, mailbox):
    imap.ok(f"SELECT {mailbox}")
    found = imap.ok("FETCH 1:* (BODY.PEEK[HEADER.FIELDS (Subject)])")
    return [m.group(1).decode() for answer in found if (m := re.search(rb"Subject: (\S+ \d+)", answer))]


def everything(instance, account):
    with Imap(instance, account) as imap:
        return [s for mailbox in ("INBOX", "Archive") for s in subjects(imap, mailbox)]


def finish(workers):
    for worker in workers:
        worker.halt.set()
    for worker in workers:
        worker.join(120)
        assert not worker.is_alive()
        assert worker.wrong is None, worker.wrong


def test_acknowledged_mail_is_there_once(make_instance, capsys):
    seed = int(os.environ.get("QUINTET_TEST_SEED", random.SystemRandom().randrange(2**32)))
    rng = random.Random(seed)
    instance = make_instance()
    counters = Counters(instance)
    senders = [f"sender{i}" for i in range(SENDERS)]
    for name in ["box", *senders]:
        instance.account(name, PASSWORD)
    options = {"env": {"QUINTET_TEST_FAULTS": "runtime/faults"}}
    services = [instance.start(name, "--max=64", "--per-source=0", **options)
                for name in ("maild", "maild-submission")]
    workers = [Sender(instance, name, rng.random()) for name in senders]
    workers += [Appender(instance, f"append{i}", rng.random()) for i in range(APPENDERS)]
    workers += [Mover(instance, f"move{i}", rng.random()) for i in range(MOVERS)]
    for worker in workers:
        worker.start()
    until(lambda: all(w.acknowledged for w in workers if not isinstance(w, Mover)), what="mail")
    try:
        kill_some(services, counters, rng)
    finally:
        finish(workers)
    found = everything(instance, "box")
    acknowledged = set().union(*(w.acknowledged for w in workers))
    assert len(found) == len(set(found)), f"seed {seed}: twice: {[s for s in found if found.count(s) > 1]}"
    assert acknowledged <= set(found), f"seed {seed}: lost: {acknowledged - set(found)}"
    for worker in workers[:SENDERS]:
        own = everything(instance, worker.account)
        # To both or to none.
        assert len(own) == len(set(own)) and set(own) == {s for s in found if s.startswith(worker.account)}
    for service in services:
        service.stop()
    check_store(instance)
    with capsys.disabled():
        print(f"\nseed {seed}: {KILLS} kills, {len(found)} messages, {len(acknowledged)} acknowledged")


def receipts(instance):
    """How many receipts ann has for each message."""
    with Imap(instance, "ann") as imap:
        imap.ok("SELECT INBOX")
        found = imap.ok("FETCH 1:* BODY.PEEK[]")
        return [m.group(1) for a in found if (m := re.search(rb"(?mi)^Original-Message-ID: (\S+)", a))]


def test_a_receipt_goes_out_once_whoever_dies(make_instance):
    """The reader's session, which commits for itself, is killed between \\Seen and the receipt, at each step."""
    instance = make_instance(kept=False)
    counters = Counters(instance)
    for name in ("ann", "bob"):
        instance.account(name, PASSWORD)
    options = {"env": {"QUINTET_TEST_FAULTS": "runtime/faults"}}
    instance.start("maild", "--max=64", "--per-source=0", **options)
    instance.start("maild-submission", "--max=64", "--per-source=0")
    with Imap(instance, "bob") as bob:
        bob.ok("XSET RECEIPTS ALWAYS")
    count = 0
    smtp = Smtp(instance, "ann")
    for phase in STORE_PHASES:
        for nth in (1, 2, 3):
            smtp.sendmail("ann@quintet.test", ["bob@quintet.test"], (
                f"From: ann@quintet.test\r\nTo: bob@quintet.test\r\nMessage-ID: <{count}@quintet.test>\r\n"
                f"Disposition-Notification-To: ann@quintet.test\r\nSubject: {count}\r\n\r\nRead me.\r\n"))
            count += 1
            with Imap(instance, "bob") as bob:
                bob.ok("SELECT INBOX")
                index = STORE_PHASES.index(phase)
                counters.values[index] = nth
                with contextlib.suppress(*LOST):
                    bob.ok(f"STORE {count} +FLAGS (\\Seen)")
                    bob.ok("NOOP")
                counters.values[index] = 0
            # Whoever of the reader comes next sets it right.
            with Imap(instance, "bob") as bob:
                bob.ok("SELECT INBOX")
                bob.ok(f"STORE {count} +FLAGS (\\Seen)")
                bob.ok("NOOP")
    wanted = sorted(b"<%d@quintet.test>" % n for n in range(count))
    until(lambda: sorted(receipts(instance)) == wanted, what="one receipt for each message")
    with Imap(instance, "bob") as bob:
        bob.ok("SELECT INBOX")
        flags = bob.ok("FETCH 1:* (FLAGS)")
        assert len(flags) == count and all(b"$MDNSent" in f for f in flags), flags
    smtp.quit()
