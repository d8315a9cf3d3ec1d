"""THREAD: by references and by subject, of what a mailbox really holds."""

import itertools

import pytest

from imaps import Imap, PASSWORD

NAMES = (f"imthr{n}" for n in itertools.count())


def build(n, msgid=None, references="", subject="", reply_to="", date=True):
    head = "From: ann@x.org\r\n"
    head += f"Message-ID: <{msgid}@x.org>\r\n" if msgid else ""
    if references:
        head += "References: " + "\r\n ".join(f"<{r}@x.org>" for r in references.split()) + "\r\n"
    head += f"In-Reply-To: <{reply_to}@x.org>\r\n" if reply_to else ""
    head += f"Date: Sat, 21 Nov 2026 10:{n:02}:00 +0000\r\n" if date else ""
    return (head + f"Subject: {subject}\r\n\r\nbody\r\n").encode()


@pytest.fixture
def mailbox(instance):
    """mailbox(message, ...): a client that has selected just these."""
    opened = []

    def make(*messages):
        name = next(NAMES)
        instance.account(name, PASSWORD)
        opened.append(Imap(instance, name))
        for data in messages:
            opened[-1].append(data)
        opened[-1].ok("SELECT INBOX")
        return opened[-1]
    yield make
    for client in opened:
        client.close()


def thread(client, how="REFERENCES", rest="UTF-8 ALL", command="THREAD"):
    (answer,) = client.ok(f"{command} {how} {rest}")
    assert answer.startswith(b"* THREAD")
    return answer.decode()[9:]


def test_references(mailbox):
    c = mailbox(build(1, "a", subject="tea"), build(2, "b", "a", subject="Re: tea"),
                build(3, "c", "a", subject="Re: tea"), build(4, "d", "a b", subject="Re: tea"),
                build(5, "e", subject="coffee"), build(6, "f", reply_to="c", subject="cups"))
    assert thread(c) == "(1 (2 4)(3 6))(5)"
    assert thread(c, rest="UTF-8 NOT 1") == "((2 4)(3 6))(5)"
    assert thread(c, rest="UTF-8 2:3") == "((2)(3))"
    assert thread(c, rest="UTF-8 NOT ALL") == ""


def test_uids(mailbox):
    c = mailbox(build(1, "a"), build(2, "b"), build(3, "c", "b"))
    c.ok(r"STORE 1 +FLAGS.SILENT (\Deleted)")
    c.ok("EXPUNGE")
    assert thread(c) == "(1 2)" and thread(c, command="UID THREAD") == "(2 3)"


def test_subjects_join(mailbox):
    c = mailbox(build(1, "a", subject="Re: lunch"), build(2, "b", subject="Lunch"), build(3, "c", subject="dinner"),
                build(4, "d", subject="[cook] dinner"), build(5, "e", subject=""), build(6, "f", subject=""))
    assert thread(c) == "(2 1)((3)(4))(5)(6)"


def test_ordered_subject(mailbox):
    c = mailbox(build(5, "a", subject="b"), build(1, "b", subject="Re: a"), build(2, "c", "a", subject="Fwd: b"),
                build(3, "d", subject="A"), build(4, "e", subject="a (fwd)"))
    assert thread(c, "ORDEREDSUBJECT") == "(2 (4)(5))(3 1)"


def test_without_dates_and_ids(mailbox):
    c = mailbox(build(1, None, "x", subject="p", date=False), build(2, "x", subject="q", date=False),
                build(3, "x", subject="r"), build(4, "twin", "x", subject="s"))
    told = thread(c)
    assert sorted(told.replace("(", " ").replace(")", " ").split()) == ["1", "2", "3", "4"]
    assert "(2 " in told and "(3)" in told


def test_long_chain(mailbox):
    """Each answers the one before: the answer is one line without a parenthesis in it."""
    c = mailbox()
    for at in range(0, 2000, 50):
        parts = b""
        for n in range(at, at + 50):
            data = build(n % 60, f"m{n}", f"m{n - 1}" if n else "", subject=f"s{n}")
            parts += b" {%d+}\r\n%s" % (len(data), data)
        c.ok(b"APPEND INBOX" + parts)
    c.ok("NOOP")
    assert thread(c) == "(" + " ".join(str(n) for n in range(1, 2001)) + ")"


def test_refused(mailbox):
    c = mailbox(build(1))
    for wrong in ("THREAD", "THREAD REFERENCES", "THREAD REFERENCES UTF-8", "THREAD JWZ UTF-8 ALL", "THREAD REFERENCES ALL"):
        c.refused(wrong, b"BAD")
    assert c.refused("THREAD REFERENCES x-none ALL").startswith(b"NO [BADCHARSET")
