"""Chat while sessions are killed at random: all readers see one order, what was acknowledged is there,
nothing is there twice, and history is what was delivered."""

import contextlib
import os
import random
import signal
import ssl
import threading
import time

from audit import check_store
from counters import STORE_PHASES, Counters
from instance import until
from ircs import PASSWORD, Irc, one, only

CAPS = ("server-time", "message-tags", "batch", "echo-message", "draft/chathistory")
WRITERS, READERS, KILLS = 3, 2, 60
ROOM = "#kills"
PAGE = 100
LOST = (OSError, AssertionError, ssl.SSLError)


def position(message):
    """Where in the log: a message's id begins with it."""
    return int(message.id.partition("-")[0])


def page(client, after):
    """The history behind a message id (None: from the beginning), one page."""
    where = f"AFTER {ROOM} msgid={after}" if after else f"AFTER {ROOM} timestamp=2000-01-01T00:00:00.000Z"
    got = client.ask(f"CHATHISTORY {where} {PAGE}")
    batch = one([m for m in got if m.verb == "BATCH" and m.params[0].startswith("+")], "BATCH")
    reference = batch.params[0][1:]
    said = [m for m in only(got, "PRIVMSG") if m.tags.get("batch") == reference]
    live = [m for m in only(got, "PRIVMSG") if "batch" not in m.tags]
    return said, live


class Member(threading.Thread):
    """Somebody of the room whose session may end at any moment, and who then comes back."""

    def __init__(self, instance, name, seed):
        super().__init__(daemon=True)
        self.instance, self.account = instance, name
        self.rng = random.Random(seed)
        self.halt = threading.Event()
        self.sessions = 0

    def run(self):
        while not self.halt.is_set():
            with contextlib.suppress(*LOST), \
                    Irc(self.instance, self.account, CAPS, account=(self.account, PASSWORD)) as client:
                self.sessions += 1
                client.join(ROOM)
                self.live(client)


class Writer(Member):
    """Says numbered things and remembers which of them came back."""

    def __init__(self, *args):
        super().__init__(*args)
        self.said, self.acknowledged = 0, {}  # text -> id

    def live(self, client):
        while not self.halt.is_set():
            texts = [f"{self.account} {self.said + i}" for i in range(self.rng.randint(1, 8))]
            self.said += len(texts)
            client.send(*(f"PRIVMSG {ROOM} :{text}" for text in texts))
            while texts:
                message = client.read()
                assert message is not None
                if message.verb == "PRIVMSG" and message.text in texts:
                    texts.remove(message.text)
                    self.acknowledged[message.text] = message.id


class Reader(Member):
    """Keeps what it is told, and fills the gap after each loss from history."""

    def __init__(self, *args):
        super().__init__(*args)
        self.heard = []

    def keep(self, messages):
        for message in messages:
            if not self.heard or position(message) > position(self.heard[-1]):
                self.heard.append(message)

    def live(self, client):
        waiting = []
        while True:
            said, live = page(client, self.heard[-1].id if self.heard else None)
            self.keep(said)
            waiting += live
            if not said:
                break
        # From here on nothing may be out of its order: what came live is kept as it came.
        self.keep(waiting)
        while not self.halt.is_set():
            last = position(self.heard[-1]) if self.heard else 0
            for message in only(client.sync(), "PRIVMSG"):
                assert position(message) > last, f"{message} behind {last}"
                last = position(message)
                self.heard.append(message)
            time.sleep(0.01)


def kill_some(chatd, counters, rng):
    """Ends sessions wherever they are, and some in the middle of a commit."""
    for i in range(KILLS):
        if i % 4 == 0:
            counters.strike(rng.choice(STORE_PHASES), rng.randint(1, 2))
            continue
        time.sleep(rng.random() * 0.1)
        with contextlib.suppress(ProcessLookupError):
            os.kill(rng.choice(until(chatd.sessions, what="a session")), signal.SIGKILL)


def history(instance, name):
    """All of it, page by page, as a newcomer's session sees it."""
    found = []
    with Irc(instance, name, CAPS, account=(name, PASSWORD)) as client:
        client.join(ROOM)
        while True:
            said, _ = page(client, found[-1].id if found else None)
            if not said:
                return found
            found += said


def test_one_order_for_all(make_instance, capsys):
    seed = int(os.environ.get("QUINTET_TEST_SEED", random.SystemRandom().randrange(2**32)))
    rng = random.Random(seed)
    instance = make_instance()
    instance.ctl("set", "chat_flood_rate", "0")
    counters = Counters(instance)
    names = [f"writer{i}" for i in range(WRITERS)] + [f"reader{i}" for i in range(READERS)]
    for name in names:
        instance.account(name, PASSWORD)
    chatd = instance.start("chatd", "--max=64", "--per-source=0",
                           env={"QUINTET_TEST_FAULTS": "runtime/faults"})
    writers = [Writer(instance, name, rng.random()) for name in names[:WRITERS]]
    readers = [Reader(instance, name, rng.random()) for name in names[WRITERS:]]
    for member in writers + readers:
        member.start()
    until(lambda: all(w.acknowledged for w in writers), what="talk")
    try:
        kill_some(chatd, counters, rng)
    finally:
        for member in writers:
            member.halt.set()
    for member in writers:
        member.join(120)
        assert not member.is_alive()
    whole = history(instance, names[0])
    until(lambda: all(r.heard and r.heard[-1].id == whole[-1].id for r in readers), what="the readers' end")
    for member in readers:
        member.halt.set()
        member.join(120)
        assert not member.is_alive()
    ids = [m.id for m in whole]
    assert ids == sorted(set(ids), key=lambda i: int(i.partition("-")[0]))
    assert [m.tags["time"] for m in whole] == sorted(m.tags["time"] for m in whole)
    texts = [m.text for m in whole]
    assert len(texts) == len(set(texts)), "something was said twice"
    for writer in writers:
        missing = {t: i for t, i in writer.acknowledged.items() if i not in ids}
        assert not missing, f"seed {seed}: acknowledged and lost: {missing}"
        own = [int(t.split()[1]) for t in texts if t.split()[0] == writer.account]
        assert own == sorted(own)
    for reader in readers:
        assert [(m.id, m.text, m.tags["time"]) for m in reader.heard] == \
            [(m.id, m.text, m.tags["time"]) for m in whole], f"seed {seed}"
    chatd.stop()
    check_store(instance)
    with capsys.disabled():
        print(f"\nseed {seed}: {KILLS} kills, {len(whole)} messages, {sum(len(w.acknowledged) for w in writers)} "
              f"acknowledged, {sum(m.sessions for m in writers + readers)} sessions")


def newest(chatd, before):
    """The process of the session that came since."""
    (pid,) = until(lambda: set(chatd.sessions()) - before, what="its process")
    return pid


def test_the_killed_are_missed_at_once(make_instance):
    """In a quiet channel too: no one says anything, and yet the others see them go."""
    instance = make_instance()
    for name in ("ann", "bob"):
        instance.account(name, PASSWORD)
    chatd = instance.start("chatd")
    with Irc(instance, "ann", account=("ann", PASSWORD)) as ann:
        ann.join("#quiet")
        before = set(chatd.sessions())
        bob = Irc(instance, "bob", account=("bob", PASSWORD))
        bob.join("#quiet")
        ann.sync()
        pid = newest(chatd, before)
        start = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        gone = ann.until("QUIT")[-1]
        # The slow poll alone would take up to 15 seconds.
        assert gone.nick == "bob" and time.monotonic() - start < 7
        assert "bob" not in ann.ask("NAMES #quiet")[0].text
        bob.close()


def test_all_die_and_the_next_one_buries_them(make_instance):
    instance = make_instance()
    for name in ("ann", "bob", "eve"):
        instance.account(name, PASSWORD)
    chatd = instance.start("chatd")
    dead = [Irc(instance, name, account=(name, PASSWORD)) for name in ("ann", "bob")]
    for client in dead:
        client.join("#grave")
    for pid in chatd.sessions():
        os.kill(pid, signal.SIGKILL)
    with Irc(instance, "eve", account=("eve", PASSWORD)) as eve:
        eve.join("#grave")
        # Who comes looks first; at the latest the slow poll has buried them.
        until(lambda: one(eve.ask("NAMES #grave"), "353").text.split() == ["eve"], what="only the living")
    for client in dead:
        client.close()
