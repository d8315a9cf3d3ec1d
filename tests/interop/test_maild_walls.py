"""The walls around maild, tried from inside by the test build; and what has to work behind them."""

import base64
import signal

import pytest

import talk
from imaps import Imap
from instance import Instance, KEPT, TOP, until
from smtps import PASSWORD, Smtps, letter

DOORS = {"maild": ("imaps", b"* OK "), "maild-submission": ("submissions", b"220 ")}


@pytest.fixture(scope="module")
def hooked():
    """An instance of the test build, whose services try their own walls when told to."""
    if not (TOP / "build/asan/bin/maild").exists():
        pytest.skip("build/asan is not built")
    own = Instance(variant="asan")
    yield own
    own.close()


def breach(own, name, wall):
    """What a session under that attempt leaves in the log, and whether its peer was greeted."""
    service = own.start(name, env={"QUINTET_TEST_WALLS": wall})
    port, greeting = DOORS[name]
    try:
        with talk.connect(own, own.ports[port]) as tls:
            served = tls.recv(1000).startswith(greeting)
    except OSError:
        served = False
    until(lambda: "session ended" in service.text() or "died of a signal" in service.text(),
          what="the end of the session")
    service.stop()
    return service.text(), served


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("wall", ["open", "write"] + ["store"] * KEPT)
def test_files_are_walled_off(hooked, name, wall):
    text, served = breach(hooked, name, wall)
    assert "wall held" in text and "breached" not in text and served


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("wall", ["connect", "exec"])
def test_network_and_programs_are_deadly(hooked, name, wall):
    text, served = breach(hooked, name, wall)
    assert f'VALUE="{int(signal.SIGSYS)}"' in text and "breached" not in text and not served


@pytest.mark.parametrize("charset, text", [
    ("iso-8859-1", "Grüße"), ("iso-8859-15", "20 €"), ("windows-1251", "Привет"), ("koi8-r", "Привет"),
    ("iso-2022-jp", "こんにちは"), ("shift_jis", "こんにちは"), ("euc-jp", "こんにちは"), ("gb18030", "你好"),
    ("big5", "你好"), ("euc-kr", "안녕"), ("utf-16", "Grüße"), ("utf-7", "Grüße")])
def test_character_sets_behind_the_walls(instance, charset, text):
    """Their tables are loaded before: from then on no code can be."""
    name = "walled"
    if charset == "iso-8859-1":
        instance.account(name, PASSWORD)
    head = letter(name, charset, more=f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset={charset}\r\n"
                                      "Content-Transfer-Encoding: base64\r\n")
    data = head.split(b"\r\n\r\n")[0] + b"\r\n\r\n" + base64.encodebytes(text.encode(charset)).strip() + b"\r\n"
    with Smtps(instance, name) as client:
        assert client.message(name, [name], data).code == 250
    with Imap(instance, name) as imap:
        imap.ok("SELECT INBOX")
        sought = text.encode()
        (found,) = imap.ok(b"SEARCH CHARSET UTF-8 SUBJECT " + charset.encode() + b" BODY {%d+}\r\n" % len(sought)
                           + sought)
        assert found.split()[2:] != [], found


def test_a_large_body_behind_the_walls(instance):
    """More than a row takes: a file, made and read in a walled session."""
    instance.account("walledbig", PASSWORD)
    data = letter("walledbig", "big", body="0123456789" * 7 + ("\r\n" + "x" * 70) * 3000)
    with Smtps(instance, "walledbig") as client:
        assert client.message("walledbig", ["walledbig"], data).code == 250
    assert [p for p in instance.path("state/blobs").rglob("*") if p.is_file() and p.stat().st_size > len(data)]
    with Imap(instance, "walledbig") as imap:
        imap.ok("SELECT INBOX")
        assert b"0123456789" * 7 in b"".join(imap.ok("FETCH 1 BODY.PEEK[]"))
