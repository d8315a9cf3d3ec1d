"""What no ftpd may do: properties of the data connection and of uploads, each tried by a client that does
it wrong on purpose. Paths and rights are in test_ftpd_paths.py."""

import contextlib
import os
import signal
import socket
import ssl
import threading
import time

import pytest

import ftps
import talk
from ftpdhouse import HELLO, a, b, leftovers, name, people, shared  # noqa: F401
from ftps import PASSWORD, Ftps
from instance import until


# -- whose data connection ------------------------------------------------------------------------


@pytest.mark.parametrize("version", [ftps.TLS_1_2, ftps.TLS_1_3])
def test_ticket_of_another_login(instance, people, name, version):
    with Ftps(instance, version=version) as mine, Ftps(instance, version=version) as other:
        mine.login(people[0])
        other.login(people[1])
        other.get("MLSD")  # so that it was given tickets
        data = mine.dial()
        mine.expect(f"STOR {name}", 150)
        with contextlib.suppress(OSError):
            tls = mine.wrap(data, session=other.tls.session, context=other.context)
            tls.sendall(HELLO)
            mine.finish(tls)
        assert mine.reply().code in (425, 522)
        assert not shared(instance, name).exists()
        # The session goes on.
        assert mine.put(name, HELLO).code == 226


def test_no_resumption(instance, a, name):
    data = a.dial()
    a.expect(f"STOR {name}", 150)
    tls = a.wrap(data, session=None)
    try:
        tls.sendall(HELLO)
        a.finish(tls)
    except OSError:
        pass
    assert a.reply().code == 522
    assert not shared(instance, name).exists()


def test_ticket_of_an_earlier_session(instance, people, name):
    first = Ftps(instance)
    first.login(people[0])
    first.get("MLSD")
    old = first.tls.session
    context = first.context
    first.quit()
    with Ftps(instance) as again:
        again.login(people[0])
        data = again.dial()
        again.expect(f"STOR {name}", 150)
        try:
            tls = again.wrap(data, session=old, context=context)
            again.finish(tls)
        except OSError:
            pass
        assert again.reply().code == 522
    assert not shared(instance, name).exists()


def test_data_from_another_address(instance, a, name):
    """A thief who guesses the port gets nothing, and does not stand in the owner's way."""
    port = a.passive()
    thief = a.dial(port, source="127.0.0.2")
    a.send(f"STOR {name}")
    thief.settimeout(60)
    assert thief.recv(1) == b""
    data = a.dial(port)
    assert a.reply().code == 150
    tls = a.wrap(data)
    tls.sendall(HELLO)
    a.finish(tls)
    assert a.reply().code == 226
    assert shared(instance, name).read_bytes() == HELLO


def test_one_accept(a):
    """A second connection to the port of a transfer is not taken."""
    port = a.passive()
    first = a.dial(port)
    a.expect("MLSD", 150)
    try:
        second = a.dial(port)
        second.settimeout(60)
        assert second.recv(1) == b""
    except (ConnectionRefusedError, ConnectionResetError):
        pass
    tls = a.wrap(first)
    assert b"type=" in talk.read_to_end(tls)
    a.finish(tls)
    assert a.reply().code == 226


def test_active_to_foreign_address(a):
    with socket.create_server(("127.0.0.2", 0)) as victim:
        port = victim.getsockname()[1]
        victim.settimeout(1)
        for command in (f"PORT 127,0,0,2,{port >> 8},{port & 255}", f"EPRT |1|127.0.0.2|{port}|",
                        "PORT 127,0,0,1,0,22", "EPRT |1|127.0.0.1|22|"):
            assert a.ask(command).code // 100 == 5, command
            assert a.ask("MLSD").code in (425, 503)
        with pytest.raises(TimeoutError):
            victim.accept()


def test_clear_data_connection(instance, a, name):
    assert a.ask("PROT C").code in (534, 536)
    data = a.dial()
    a.expect(f"STOR {name}", 150)
    data.sendall(HELLO)
    data.close()
    assert a.reply().code in (425, 426, 522)
    assert not shared(instance, name).exists()


def test_control_stays_private(a):
    assert a.ask("CCC").code == 534
    assert a.ask("NOOP").code == 200


# -- what a lost line does to files ---------------------------------------------------------------


@pytest.mark.parametrize("version", [ftps.TLS_1_2, ftps.TLS_1_3])
def test_cut_upload(instance, people, name, version):
    with Ftps(instance, version=version) as client:
        client.login(people[0])
        assert client.cut(name, HELLO).code == 426
        assert not shared(instance, name).exists()
        assert name not in client.names()


def test_cut_upload_of_nothing(instance, a, name):
    before = leftovers(instance)
    assert a.cut(name, b"").code == 426
    assert not shared(instance, name).exists() and leftovers(instance) == before


def test_cut_overwrite(instance, a, name):
    assert a.put(name, HELLO).code == 226
    inode = shared(instance, name).stat().st_ino
    assert a.cut(name, b"x" * 3000).code == 426
    assert shared(instance, name).read_bytes() == HELLO
    assert shared(instance, name).stat().st_ino == inode


def test_control_cut_in_mid_upload(instance, people, name):
    client = Ftps(instance)
    client.login(people[0])
    assert client.put(name, HELLO).code == 226
    data = client.begin_transfer(f"STOR {name}")
    data.sendall(b"y" * 100000)
    client.close()
    data.close()
    with Ftps(instance) as again:
        again.login(people[0])
        assert again.get(f"RETR {name}") == HELLO


def test_told_to_end_in_mid_upload(instance, people, name):
    """SIGTERM, as when the machine goes down: nothing more is lost than by a cut line."""
    (listener,) = (service for service in instance.services if service.name == "ftpd")
    others = set(listener.sessions())
    with Ftps(instance) as client:
        client.login(people[0])
        (session,) = set(listener.sessions()) - others
        client.put(name, HELLO)
        before = set(leftovers(instance))
        with client.begin_transfer(f"STOR {name}") as data:
            data.sendall(b"y" * 100_000)
            until(lambda: any(path.stat().st_size >= 65_536 for path in set(leftovers(instance)) - before),
                  what="upload")
            os.kill(session, signal.SIGTERM)
            assert client.reply().code == 421 and client.at_end()
    assert shared(instance, name).read_bytes() == HELLO
    with Ftps(instance) as client:
        client.login(people[0])
        there = int(client.expect(f"SIZE {name}", 213).text)
        assert 0 < there <= 100_000
        client.expect(f"REST {there}", 350)
        assert client.put(name, b"y" * (100_000 - there)).code == 226
    assert shared(instance, name).read_bytes() == b"y" * 100_000


def test_reader_during_overwrite(instance, a, b, name):
    old, new = os.urandom(3_000_000), os.urandom(2_000_000)
    assert a.put(name, old).code == 226
    reading = b.begin_transfer(f"RETR {name}")
    head = reading.recv(1000)
    assert a.put(name, new).code == 226
    assert head + talk.read_to_end(reading) == old
    b.finish(reading)
    assert b.reply().code == 226
    assert b.get(f"RETR {name}") == new


def test_reader_during_upload(a, b, name):
    old, new = os.urandom(100_000), os.urandom(200_000)
    assert a.put(name, old).code == 226
    writing = a.begin_transfer(f"STOR {name}")
    writing.sendall(new[:150_000])
    assert b.get(f"RETR {name}") == old
    assert int(b.expect(f"SIZE {name}", 213).text) == len(old)
    writing.sendall(new[150_000:])
    a.finish(writing)
    assert a.reply().code == 226
    assert b.get(f"RETR {name}") == new


def test_two_writers(a, b, people, instance, name):
    """The same new name at once: each is whole, one wins, and the loser is told."""
    one, two = os.urandom(400_000), os.urandom(300_000)
    first, second = a.begin_transfer(f"STOR {name}"), b.begin_transfer(f"STOR {name}")
    first.sendall(one)
    second.sendall(two)
    a.finish(first)
    assert a.reply().code == 226
    b.finish(second)
    assert b.reply().code in (550, 553)
    assert shared(instance, name).read_bytes() == one


# -- resume ---------------------------------------------------------------------------------------


def test_resume_by_rest(instance, a, name):
    content = os.urandom(500_000)
    assert a.cut(name, content[:200_000]).code == 426
    size = int(a.expect(f"SIZE {name}", 213).text)
    assert 0 < size <= 200_000
    a.expect(f"REST {size}", 350)
    assert a.put(name, content[size:]).code == 226
    assert shared(instance, name).read_bytes() == content


def test_resume_by_append(instance, a, name):
    content = os.urandom(300_000)
    assert a.cut(name, content[:100_000]).code == 426
    size = int(a.expect(f"SIZE {name}", 213).text)
    assert a.put(name, content[size:], command="APPE").code == 226
    assert shared(instance, name).read_bytes() == content


def test_resume_shorter_than_the_part(instance, a, name):
    content = os.urandom(300_000)
    assert a.cut(name, content[:100_000]).code == 426
    a.expect("REST 5000", 350)
    assert a.put(name, content[5000:]).code == 226
    assert shared(instance, name).read_bytes() == content


def test_part_is_its_owners(a, b, name):
    assert a.cut(name, HELLO).code == 426
    assert b.ask(f"SIZE {name}").code == 550
    b.expect("REST 100", 350)
    assert b.ask(f"STOR {name}").code == 554
    assert name not in b.names() and name not in a.names()


def test_part_of_an_overwrite_hides_no_file(a, b, name):
    assert a.put(name, HELLO).code == 226
    assert a.cut(name, b"z" * 100).code == 426
    assert int(a.expect(f"SIZE {name}", 213).text) == 100
    a.passive()
    assert a.ask(f"RETR {name}").code == 450  # a client would cut it short at 100 bytes
    assert b.get(f"RETR {name}") == HELLO
    a.expect(f"SITE DROP {name}", 200, 250)
    assert int(a.expect(f"SIZE {name}", 213).text) == len(HELLO)
    assert a.get(f"RETR {name}") == HELLO


def test_append_is_atomic(instance, a, b, name):
    assert a.put(name, HELLO).code == 226
    writing = a.begin_transfer(f"APPE {name}")
    writing.sendall(b"more")
    assert b.get(f"RETR {name}") == HELLO
    a.finish(writing)
    assert a.reply().code == 226
    assert shared(instance, name).read_bytes() == HELLO + b"more"


def test_rest_beyond_the_end(a, name):
    assert a.put(name, HELLO).code == 226
    a.expect(f"REST {len(HELLO) + 1}", 350)
    a.passive()
    assert a.ask(f"RETR {name}").code == 554
    a.expect(f"REST {len(HELLO)}", 350)
    assert a.get(f"RETR {name}") == b""
    a.expect(f"REST {len(HELLO) + 1}", 350)
    a.passive()
    assert a.ask(f"STOR {name}").code == 554
    a.expect("REST", 501)
    for bad in ("REST -1", "REST x", "REST 99999999999999999999"):
        a.expect("REST 5", 350)
        assert a.ask(bad).code == 501, bad
        assert a.get(f"RETR {name}") == HELLO


def test_rest_is_for_one_command(a, name):
    assert a.put(name, HELLO).code == 226
    a.expect("REST 5", 350)
    a.expect("NOOP", 200)
    assert a.get(f"RETR {name}") in (HELLO, HELLO[5:])  # RFC 3659 allows both; it must be whole
    assert a.get(f"RETR {name}") == HELLO


def test_beyond_four_gib(instance, a, name):
    size = 5 * 1024 ** 3 + 7
    with open(shared(instance, name), "wb") as f:
        f.truncate(size)
        f.seek(size - 3)
        f.write(b"end")
    instance.give(shared(instance, name))
    assert int(a.expect(f"SIZE {name}", 213).text) == size
    a.expect(f"REST {size - 10}", 350)
    assert a.get(f"RETR {name}") == b"\0" * 7 + b"end"
    a.expect(f"RANG {size - 3} {size - 1}", 350)
    assert a.get(f"RETR {name}") == b"end"
    shared(instance, name).unlink()


# -- loads ----------------------------------------------------------------------------------------


def test_globs_are_names(a, name):
    assert a.put(name, HELLO).code == 226
    bomb = "*/../" * 200 + "*"
    started = time.monotonic()
    for command in ("LIST *", "NLST *", f"LIST {bomb}", f"NLST {bomb}", "NLST {a,b}{a,b}{a,b}",
                    "LIST ~root", "MLSD *"):
        a.passive()
        assert a.ask(command).code in (501, 550, 553), command
    assert time.monotonic() - started < 30


def test_list_options_are_skipped(a, name):
    assert a.put(name, HELLO).code == 226
    for command in ("LIST -la", "LIST -alR", "LIST -a /shared"):
        assert name in a.get(command).decode()


def test_long_line(instance, people):
    with Ftps(instance) as client:
        client.login(people[0])
        client.send(b"STOR " + b"x" * 200_000 + b"\r\n")
        assert client.reply().code == 500
        client.expect("NOOP", 200)


def test_endless_line(instance):
    """No line at all, for ever: the connection ends by itself, and soon."""
    with Ftps(instance) as client:
        client.socket.settimeout(60)
        end = time.monotonic() + 60
        with pytest.raises(OSError):
            while time.monotonic() < end:
                client.socket.sendall(b"x" * 65536)
        assert time.monotonic() < end
    until(lambda: "an endless line" in instance.log_text(), what="the reason in the log")


@pytest.mark.parametrize("request_line", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n",
                                          b"EHLO me\r\n", b"SSH-2.0-x\r\n"])
def test_foreign_protocols(instance, request_line):
    for explicit in (False, True):
        with Ftps(instance, explicit=explicit, clear=explicit) as client:
            client.send(request_line)
            rest = b""
            try:
                while piece := client.socket.recv(4096):
                    rest += piece
            except OSError:
                pass
            assert len(rest) < 200 and rest.count(b"\r\n") <= 1


def test_alpn(instance):
    for good in ("ftp", "ftp-data", "x-filezilla-ftp"):
        with Ftps(instance, alpn=[good]) as client:
            assert client.tls.selected_alpn_protocol() == good and client.banner.code == 220
    for bad in ("http/1.1", "h2", "imap"):
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            Ftps(instance, alpn=[bad])


def test_many_bad_commands(instance):
    with Ftps(instance) as client:
        codes = []
        for i in range(50):
            client.send(f"NONSENSE {i}")
            codes.append(client.reply().code)
            if codes[-1] == 421:
                break
        assert codes[-1] == 421 and len(codes) <= 20
        assert client.at_end()


# -- before TLS -----------------------------------------------------------------------------------


def test_injection_after_auth(instance):
    with Ftps(instance, explicit=True, clear=True) as client:
        client.send(b"AUTH TLS\r\nUSER probea\r\nPASS " + PASSWORD.encode() + b"\r\nDELE x\r\n")
        first = client.reply()
        assert first.code != 230
        if first.code == 234:
            with pytest.raises((ssl.SSLError, OSError)):
                client.secure()
                client.begin()
                client.reply()
        else:
            assert first.code // 100 in (4, 5) and client.at_end()


def test_in_clear(instance):
    with Ftps(instance, explicit=True, clear=True) as client:
        assert client.banner.code == 220
        assert "AUTH TLS" in client.expect("FEAT", 211).text
        client.expect("SYST", 215)
        client.expect("NOOP", 200)
        client.expect("HELP", 214)
        for command in ("USER probea", "PASS x", "LIST", "PASV", "EPSV", "STOR x", "SITE REGISTER a b",
                        "CWD /", "STAT"):
            assert client.ask(command).code == 530, command
        client.expect("QUIT", 221)
        assert client.at_end()


def test_before_login(instance):
    with Ftps(instance) as client:
        for command in ("LIST", "STOR x", "RETR x", "CWD /", "PWD", "EPSV", "MLST", "SIZE x", "DELE x",
                        "SITE RMTREE x", "HASH x", "AVBL"):
            assert client.ask(command).code == 530, command
        assert client.ask("AUTH TLS").code == 503


# -- quota ----------------------------------------------------------------------------------------


def test_quota(instance, people, name):
    instance.ctl("set", "files_quota", "3M")
    instance.account("probeq", PASSWORD)
    try:
        with Ftps(instance) as client:
            client.login("probeq")
            client.expect("CWD /home/probeq", 250)
            assert client.put("one", b"1" * 2_000_000).code == 226
            client.expect("ALLO 4000000", 552)  # more than the whole quota
            client.expect("ALLO 2000000", 200)  # it might replace a file: the upload tells
            client.passive()
            client.expect("STOR two", 552)
            data = client.begin_transfer("STOR two")
            try:
                data.sendall(b"2" * 2_000_000)
                client.finish(data)
            except OSError:
                data.close()
            assert client.reply().code == 552
            assert client.ask("SIZE two").code == 550 or int(client.ask("SIZE two").text) <= 1_200_000
            client.ask("SITE DROP two")
            assert client.put("one", b"1" * 2_500_000).code == 226  # the old one counts no longer
            client.expect("DELE one", 250)
            assert client.put("two", b"2" * 2_900_000).code == 226
            client.passive()
            over = client.put("three", b"3" * 300_000)
            assert over.code == 552
            assert sorted(client.names()) == ["two"]
    finally:
        instance.ctl("set", "files_quota", "--default")


def test_quota_race(instance):
    """Several sessions fill one account at the same time: never more than the quota."""
    instance.ctl("set", "files_quota", "4M")
    instance.account("prober", PASSWORD)
    results = []

    def fill(i):
        with Ftps(instance) as client:
            client.login("prober")
            client.expect("CWD /home/prober", 250)
            data = client.begin_transfer(f"STOR {i}")
            try:
                data.sendall(bytes(1_500_000))
                client.finish(data)
            except OSError:
                data.close()
            results.append(client.reply().code)

    threads = [threading.Thread(target=fill, args=(i,)) for i in range(6)]
    try:
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        sizes = [p.stat().st_size for p in instance.path("state/files/home/prober").iterdir()
                 if not p.name.startswith(".quintet-")]
        assert len(results) == 6 and set(results) <= {226, 552, 452}
        assert results.count(226) == len(sizes) == 2
    finally:
        instance.ctl("set", "files_quota", "--default")


def test_partial_is_dropped(instance, a, name):
    assert a.cut(name, HELLO).code == 426
    before = len(leftovers(instance))
    a.expect(f"SITE DROP {name}", 200, 250)
    assert len(leftovers(instance)) == before - 1
