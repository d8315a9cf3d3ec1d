"""Several sessions of one mailbox that do things at random: each keeps what it was told and nothing else,
and when all have asked, all know the same, which is what a new session sees."""

import os
import random
import re

import pytest
from imaps import PASSWORD, Imap, message

STEPS, CHECK_EVERY = 400, 25
FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "\\Deleted", "\\Draft", "$Label1", "note")
FETCH = re.compile(rb"^\* (\d+) FETCH \((.*)\)$", re.S)


class View:
    """One session, and what its client knows: UIDs in order, flags by UID."""

    def __init__(self, instance, account, qresync):
        self.imap = Imap(instance, account)
        self.qresync = qresync
        if qresync:
            self.imap.ok("ENABLE QRESYNC")
        self.uids, self.flags = [], {}
        self.exists = 0
        self.take(self.imap.ok("SELECT INBOX"))
        self.learn()

    def learn(self):
        """Asks for what is new."""
        if self.exists > len(self.uids):
            self.take(self.imap.ok(f"FETCH {len(self.uids) + 1}:* (UID FLAGS)"))

    def ask(self, command):
        untagged, said = self.imap.ask(command)
        self.take(untagged)
        return untagged, said

    def take(self, untagged):
        for answer in untagged:
            words = answer.split(b" ", 3)
            if words[2:3] == [b"EXISTS"]:
                assert int(words[1]) >= self.exists, answer
                self.exists = int(words[1])
            elif words[2:3] == [b"EXPUNGE"]:
                assert not self.qresync
                self.forget(int(words[1]))
            elif words[1] == b"VANISHED":
                assert self.qresync and words[2] != b"(EARLIER)"
                for uid in numbers(words[2]):
                    self.forget(self.uids.index(uid) + 1)
            elif match := FETCH.match(answer):
                self.fetched(int(match.group(1)), match.group(2))

    def forget(self, number):
        assert 1 <= number <= self.exists
        self.exists -= 1
        if number <= len(self.uids):
            self.flags.pop(self.uids.pop(number - 1), None)

    def fetched(self, number, items):
        assert 1 <= number <= self.exists, (number, self.exists)
        uid = re.search(rb"\bUID (\d+)", items)
        flags = re.search(rb"FLAGS \(([^)]*)\)", items)
        if uid and number == len(self.uids) + 1:
            assert not self.uids or int(uid.group(1)) > self.uids[-1]
            self.uids.append(int(uid.group(1)))
        if number > len(self.uids):
            return  # not yet asked for: its UID is not known
        assert not uid or int(uid.group(1)) == self.uids[number - 1]
        if flags:
            self.flags[self.uids[number - 1]] = frozenset(flags.group(1).split()) - {b"\\Recent"}

    def known(self):
        return [(uid, self.flags[uid]) for uid in self.uids]


def numbers(text):
    for part in text.split(b","):
        first, _, last = part.partition(b":")
        yield from range(int(first), int(last or first) + 1)


def pick(rng, view):
    """Some sequence numbers that the client knows, as a set and as a list."""
    count = len(view.uids)
    chosen = sorted(rng.sample(range(1, count + 1), min(count, rng.randint(1, 4))))
    return ",".join(map(str, chosen)), chosen


def store(rng, view):
    """Every message that the client knows of is answered for, whoever has expunged it meanwhile."""
    numbers_text, chosen = pick(rng, view)
    how = rng.choice(("FLAGS", "+FLAGS", "-FLAGS"))
    silent = rng.random() < 0.3
    flags = " ".join(rng.sample(FLAGS, rng.randint(1, 3)))
    before = list(view.uids)
    untagged, said = view.ask(f"STORE {numbers_text} {how}{'.SILENT' if silent else ''} ({flags})")
    assert said.startswith(b"OK"), said
    told = [int(m.group(1)) for a in untagged if (m := FETCH.match(a)) and b"FLAGS" in m.group(2)]
    if silent:
        for uid in (before[n - 1] for n in chosen):
            had = view.flags[uid]
            named = frozenset(f.encode() for f in flags.split())
            view.flags[uid] = named if how == "FLAGS" else had | named if how == "+FLAGS" else had - named
    else:
        assert set(chosen) <= set(told), f"{numbers_text}: told of {told}"
    assert not any(b"EXPUNGE" in a or a.startswith(b"* VANISHED") for a in untagged), untagged


def fetch(rng, view):
    numbers_text, chosen = pick(rng, view)
    untagged, said = view.ask(f"FETCH {numbers_text} (UID FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (Subject)])")
    assert said.startswith(b"OK"), said
    told = [int(m.group(1)) for a in untagged if (m := FETCH.match(a)) and b"RFC822.SIZE" in m.group(2)]
    assert told == chosen


def expunge(rng, view):
    if rng.random() < 0.5:
        view.ask("EXPUNGE")
    else:
        view.ask(f"UID EXPUNGE {','.join(map(str, rng.sample(view.uids, 1)))}")


def append(rng, view):
    view.ask(f"APPEND INBOX ({rng.choice(FLAGS)}) {{{len(LETTER)}+}}\r\n".encode() + LETTER)


def copy_or_move(rng, view):
    numbers_text, _ = pick(rng, view)
    _, said = view.ask(f"{rng.choice(('COPY', 'MOVE'))} {numbers_text} {rng.choice(('INBOX', 'Archive'))}")
    assert said.startswith((b"OK", b"NO")), said


def noop(_, view):
    view.ask("NOOP")


LETTER = message("together", "together")
ACTS = (store,) * 5 + (fetch,) * 3 + (noop,) * 2 + (append,) * 2 + (expunge, copy_or_move)


def check(instance, account, views, seed):
    for view in views:
        view.ask("NOOP")
        view.learn()
    fresh = View(instance, account, False)
    for view in views:
        assert view.known() == fresh.known(), f"seed {seed}"
    fresh.imap.close()


@pytest.mark.parametrize("qresync", [0, 2, 4], ids=["plain", "mixed", "qresync"])
def test_all_know_the_same(instance, qresync):
    seed = int(os.environ.get("QUINTET_TEST_SEED", random.SystemRandom().randrange(2**32)))
    rng = random.Random(seed)
    account = f"together{qresync}"
    instance.account(account, PASSWORD)
    with Imap(instance, account) as imap:
        for _ in range(10):
            imap.append(LETTER)
    views = [View(instance, account, n < qresync) for n in range(4)]
    for step in range(STEPS):
        view = rng.choice(views)
        act = rng.choice(ACTS) if view.uids else append
        try:
            act(rng, view)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, step {step}: {error}") from error
        view.learn()
        if step % CHECK_EVERY == CHECK_EVERY - 1:
            check(instance, account, views, seed)
    for view in views:
        view.imap.close()
