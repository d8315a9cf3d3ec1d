"""Wherever another reader might see a message end, ours does not: only CR LF . CR LF ends it, and what
has a bare CR or LF in it is refused, with the session. The sequences are those of public tools for SMTP
smuggling (2023), and some more."""

import time

import pytest

from smtps import PASSWORD, Smtps, inbox, letter, with_subject

ANN, BOB = "smuann", "smubob"

ENDS = [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\n.\r", b"\r.\n", b"\r.\r\n", b"\r\n.\r\r\n",
        b"\r\n.\n\r\n", b"\n\n.\r\n", b"\r\n\n.\r\n", b"\r\n\x00.\r\n", b"\n\x00.\r\n", b"\r\n.\x00\r\n",
        b"\r\r\n.\r\r\n"]


@pytest.fixture(scope="module")
def people(instance):
    for name in (ANN, BOB):
        instance.account(name, PASSWORD)


def smuggled(name):
    return (f"MAIL FROM:<{ANN}@quintet.test>\r\nRCPT TO:<{BOB}@quintet.test>\r\nDATA\r\n"
            f"From: {ANN}@quintet.test\r\nSubject: smuggled {name}\r\n\r\nI am inside.\r\n").encode()


@pytest.mark.parametrize("number, end", enumerate(ENDS))
def test_nothing_comes_out_of_a_message(instance, people, number, end):
    with Smtps(instance, ANN) as ann:
        ann.envelope(ANN, BOB)
        ann.expect("DATA", 354)
        ann.send(letter(ANN, f"outer {number}")[:-2] + end + smuggled(number) + b".\r\n")
        got = ann.reply()
        assert (got.code, got.status) == (550, "5.6.0"), got
        if b"\x00" not in end or b"\n\x00" == end[:2]:
            assert ann.ended()
        else:
            ann.expect("NOOP", 250)
    assert with_subject(instance, BOB, f"smuggled {number}") == []
    assert with_subject(instance, BOB, f"outer {number}") == []


def test_no_such_end_ends_a_message(instance, people):
    """A client that ends a message with bare LF hears that at once, and nothing was taken."""
    with Smtps(instance, ANN) as ann:
        ann.envelope(ANN, BOB)
        ann.expect("DATA", 354)
        before = time.monotonic()
        ann.send(letter(ANN, "bare end")[:-2] + b"\n.\n")
        assert ann.reply().status == "5.6.0"
        assert time.monotonic() - before < 2
        ann.send(smuggled("after"))
        assert ann.ended()
    assert with_subject(instance, BOB, "bare end") == with_subject(instance, BOB, "smuggled after") == []


def test_stuffed_dots_do_not_end_a_message(instance, people):
    with Smtps(instance, ANN) as ann:
        data = letter(ANN, "stuffed")[:-2] + b"\r\n..\r\n" + smuggled("stuffed")
        assert ann.message(ANN, [BOB], data).code == 250
        ann.expect("NOOP", 250)
    (message,) = with_subject(instance, BOB, "stuffed")
    assert message.endswith(b"\r\n.\r\n" + smuggled("stuffed"))


@pytest.mark.parametrize("fault", [b"bare\nlf", b"bare\rcr", b"\n", b"\r", b"ends in\r"])
def test_chunks_with_bare_ends(instance, people, fault):
    before = len(inbox(instance, BOB))
    with Smtps(instance, ANN) as ann:
        data = letter(ANN, "chunk") + fault
        ann.envelope(ANN, BOB)
        half = len(data) - 1  # the fault lies across chunks
        ann.send(f"BDAT {half}\r\n".encode() + data[:half])
        assert ann.reply().code == 250
        ann.send(f"BDAT {len(data) - half} LAST\r\n".encode() + data[half:])
        got = ann.reply()
        assert (got.code, got.status) == (550, "5.6.0")
        ann.expect("NOOP", 250)
    assert len(inbox(instance, BOB)) == before


def test_a_nul_is_refused(instance, people):
    with Smtps(instance, ANN) as ann:
        assert ann.message(ANN, [BOB], letter(ANN, "nul", body="a\0b")).status == "5.6.0"
        ann.expect("NOOP", 250)
    assert with_subject(instance, BOB, "nul") == []


def test_commands_are_not_led_astray(instance, people):
    """Bare ends in commands, and addresses that hold line ends."""
    with Smtps(instance, ANN) as ann:
        ann.send(f"MAIL FROM:<{ANN}@quintet.test>\nRCPT TO:<{BOB}@quintet.test>\r\n".encode())
        assert [ann.reply().code, ann.reply().code] == [500, 503]
        ann.send(f"MAIL FROM:<{ANN}@quintet.test>\rRCPT TO:<{BOB}@quintet.test>\r\n".encode())
        assert ann.reply().code == 500
        ann.expect("DATA", 503)
        ann.expect(f'MAIL FROM:<"{ANN}\t"@quintet.test>', 501)
        ann.expect("NOOP", 250)
