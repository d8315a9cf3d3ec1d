"""daytimed against clients that others wrote and against peers that misbehave."""

import ctypes
import datetime
import os
import re
import socket
import ssl
import struct
import subprocess
import threading
import time
import zoneinfo
from pathlib import Path

import pytest

import talk
from instance import GID, UID, until

LINE = re.compile(r"(\w+day) (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) ([+-]\d\d:\d\d)")


@pytest.fixture(scope="module")
def port(instance):
    return instance.ports["daytime"]


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def instant(line):
    """The time that a line names; its weekday must be right."""
    match = LINE.fullmatch(line)
    assert match, line
    at = datetime.datetime.fromisoformat(f"{match[2]}T{match[3]}{match[4]}")
    assert at.strftime("%A") == match[1]
    return at


def assert_now(line):
    assert abs((instant(line) - now()).total_seconds()) < 20, line


def still_serves(instance, port):
    with talk.Dialogue(instance, port) as d:
        assert_now(d.banner)


# -- the dialogue -------------------------------------------------------------------------------


def test_the_dialogue(instance, port):
    with talk.Dialogue(instance, port) as d:
        assert_now(d.banner)
        assert_now(d.ask("daytime"))
        assert_now(d.ask("DAYTIME"))
        at = datetime.datetime.fromisoformat(d.ask("daytime rfc3339"))
        assert abs((at - now()).total_seconds()) < 20
        assert abs(float(d.ask("daytime epoch")) - time.time()) < 20
        assert_now(d.ask("daytime zone Pacific/Chatham"))
        assert d.ask("whoami") == "whoami nobody: no certificate was shown"
        assert d.ask("help").startswith("requests: daytime, ")
        d.send("end\r\n")
        assert d.at_end()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_tls_versions(instance, port, version):
    with talk.Dialogue(instance, port, version=version) as d:
        assert_now(d.ask("daytime"))


def test_half_closed_peer_gets_the_banner_and_a_clean_close(instance, port):
    with talk.connect(instance, port) as tls:
        socket.socket.shutdown(tls, socket.SHUT_WR)
        assert_now(talk.read_to_end(tls).decode().removesuffix("\r\n"))


def test_closing_tls_peer_gets_a_clean_close(instance, port):
    with talk.Dialogue(instance, port) as d:
        d.file.close()
        assert d.tls.unwrap() is not None


def test_bytes_one_by_one_and_many_requests_in_one_record(instance, port):
    with talk.Dialogue(instance, port) as d:
        for byte in b"daytime rfc3339\r\ndaytime\r\n":
            d.send(bytes([byte]))
            time.sleep(0.002)
        datetime.datetime.fromisoformat(d.line())
        assert_now(d.line())
        d.send("daytime\n" * 500)
        for _ in range(500):
            assert_now(d.line())


def test_bad_requests_are_told_and_the_session_goes_on(instance, port):
    with talk.Dialogue(instance, port) as d:
        assert d.ask("x" * 5000) == "error: the line is too long"
        assert d.ask("Invalid").startswith("error: unknown request")
        assert d.ask("").startswith("error: empty request")
        assert d.ask("daytime zone ../../../etc/passwd") == "error: no such zone"
        assert d.ask("daytime\0").startswith("error: the line has a NUL")
        assert_now(d.ask("daytime"))


def test_too_many_bad_requests_end_the_session(instance, port):
    with talk.Dialogue(instance, port) as d:
        d.send(os.urandom(20000).replace(b"\n", b"x") + b"\n")
        assert d.line().startswith("error: ")
        for _ in range(9):
            d.send("nonsense\r\n")
            assert d.line().startswith("error: ")
        assert d.line() == "error: too many bad requests, closing"
        assert d.at_end()


def test_every_zone(instance, port):
    """What the service says of each zone is what Python's zoneinfo says."""
    names = set()
    for line in Path("/usr/share/zoneinfo/tzdata.zi").read_text().splitlines():
        words = line.split(" ")
        if words[0] in "ZL":
            names.add(words[1 if words[0] == "Z" else 2])
    assert len(names) > 400
    with talk.Dialogue(instance, port) as d:
        for name in sorted(names):
            at = instant(d.ask(f"daytime zone {name}"))
            there = at.astimezone(zoneinfo.ZoneInfo(name))
            assert at.utcoffset() == there.utcoffset(), name


def test_the_banner_is_in_the_zone_of_the_server(make_instance):
    """Read before the walls close; every session of the listener has it."""
    own = make_instance()
    service = own.start("daytimed", env={"TZ": "Asia/Kathmandu"})
    for _ in range(2):
        with talk.Dialogue(own, service.port) as d:
            for line in (d.banner, d.ask("daytime"), d.ask("daytime rfc3339")):
                assert line.endswith("+05:45")
            assert_now(d.banner)


# -- the exchange -------------------------------------------------------------------------------


def kernel_is_synchronised():
    """adjtimex(2): the return value 5 is TIME_ERROR."""
    return ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(256)) not in (-1, 5)


def exchange(d):
    t1 = time.time_ns()
    words = d.ask(f"daytime exchange {t1}").split(" ")
    t4 = time.time_ns()
    assert words[0] == "exchange" and len(words) == 6
    echoed, t2, t3, error = map(int, words[1:5])
    assert echoed == t1 and error >= 0
    assert words[5] == ("synchronised" if kernel_is_synchronised() else "unsynchronised")
    return t1, t2, t3, t4


def test_exchange_bounds_the_offset(instance, port):
    """Client and server share a clock, so the true offset is 0: each bound must hold it."""
    best = None
    with talk.Dialogue(instance, port) as d:
        for _ in range(50):
            t1, t2, t3, t4 = exchange(d)
            assert t1 <= t2 <= t3 <= t4
            offset, bound = ((t2 - t1) + (t3 - t4)) / 2, ((t4 - t1) - (t3 - t2)) / 2
            assert abs(offset) <= bound
            best = min(bound, best or bound)
    assert best < 20_000_000


def test_exchange_wants_a_number(instance, port):
    with talk.Dialogue(instance, port) as d:
        assert d.ask("daytime exchange soon").startswith("error: ")
        assert d.ask("daytime exchange").startswith("error: ")


# -- limits -------------------------------------------------------------------------------------


def test_the_21st_session_is_refused_and_room_returns(make_instance):
    own = make_instance()
    service = own.start("daytimed", "--per-source=0")  # of both limits that of all sessions is meant
    full = [talk.Dialogue(own, service.port) for _ in range(20)]
    with pytest.raises((OSError, ssl.SSLError)):
        talk.Dialogue(own, service.port)
    for d in full:
        assert_now(d.ask("daytime"))
    full.pop().close()
    until(lambda: len(service.sessions()) == 19, what="room")
    full.append(talk.Dialogue(own, service.port))
    assert_now(full[-1].ask("daytime"))
    assert "too many sessions" in service.text()
    for d in full:
        d.close()


def test_limit_of_one_source(make_instance):
    own = make_instance()
    service = own.start("daytimed", "--per-source=2")
    full = [talk.Dialogue(own, service.port) for _ in range(2)]
    with pytest.raises((OSError, ssl.SSLError)):
        talk.Dialogue(own, service.port)
    with socket.create_connection(("::1", service.port), timeout=60) as other:
        tls = talk.context(own).wrap_socket(other, server_hostname=own.host)
        assert_now(tls.recv(100).decode().removesuffix("\r\n"))
        tls.close()
    for d in full:
        d.close()


# -- peers that misbehave -----------------------------------------------------------------------


def is_tls(data):
    """Only TLS records (RFC 8446 section 5.1), whole ones."""
    while data:
        kind, major, _, length = struct.unpack(">BBBH", data[:5])
        if kind not in (20, 21, 22, 23) or major != 3 or len(data) < 5 + length:
            return False
        data = data[5 + length:]
    return True


def drain(sock):
    data = b""
    try:
        while piece := sock.recv(65536):
            data += piece
    except OSError:
        pass
    return data


@pytest.mark.parametrize("text", [b"daytime\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0" * 4000,
                                  b"\x16\x03\x01\xff\xff" + b"x" * 300, b"\x80\x2e\x01\0\x02" * 50])
def test_no_handshake(instance, port, text):
    with talk.raw(port) as sock:
        sock.sendall(text)
        assert is_tls(drain(sock))
    still_serves(instance, port)


def test_leaving_in_the_middle(instance, port):
    for stop in (1, 5, 60, 150):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = talk.context(instance).wrap_bio(incoming, outgoing, server_hostname=instance.host)
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        with talk.raw(port) as sock:
            sock.sendall(outgoing.read()[:stop])
            # With a linger time of 0 the close is a reset.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", stop % 2, 0))
    with talk.Dialogue(instance, port) as d:
        d.send("daytime exch")
    still_serves(instance, port)


def test_client_that_rejects_our_certificate(instance, port):
    with pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(talk.raw(port), server_hostname="localhost")
    until(lambda: "unknown ca" in instance.log_text().lower(), what="the log line")
    still_serves(instance, port)


@pytest.mark.release_only  # it only waits
def test_silence(instance, port):
    """Before, in and after the handshake at the same time: each is ended, the others go on."""
    took = {}

    def silent(name, prepare):
        start = time.monotonic()
        with talk.raw(port, 60) as sock:
            end = prepare(sock)
            took[name] = (time.monotonic() - start, end)

    def in_handshake(sock):
        sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
        return drain(sock)

    def after(sock):
        tls = talk.context(instance).wrap_socket(
            sock, server_hostname=instance.host, suppress_ragged_eofs=False)
        return talk.read_to_end(tls)

    threads = [threading.Thread(target=silent, args=row)
               for row in (("before", drain), ("in", in_handshake), ("after", after))]
    for thread in threads:
        thread.start()
    still_serves(instance, port)
    for thread in threads:
        thread.join(60)
    assert 8 < took["before"][0] < 25 and took["before"][1] == b""
    assert 8 < took["in"][0] < 25
    assert 28 < took["after"][0] < 50
    instant(took["after"][1].decode().removesuffix("\r\n"))


def test_no_byte_in_the_clear(instance, port):
    """Everything that crosses the wire, seen from a proxy in between."""
    seen = [b"", b""]
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        def relay(side, source, sink):
            while piece := source.recv(65536):
                seen[side] += piece
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)

        def serve():
            near, _ = proxy.accept()
            with near, talk.raw(port) as far:
                back = threading.Thread(target=relay, args=(1, far, near))
                back.start()
                relay(0, near, far)
                back.join()

        thread = threading.Thread(target=serve)
        thread.start()
        with talk.Dialogue(instance, proxy.getsockname()[1]) as d:
            d.ask("daytime")
            assert d.ask("nonsense").startswith("error")
            d.tls.unwrap()
        thread.join()
    for side in seen:
        assert is_tls(side) and len(side) > 300
        assert not re.search(rb"daytime|day \d{4}|error|nonsense", side)


# -- one process per connection, without a listener ---------------------------------------------


def serve_nowait(instance, *options, env=None, err=None):
    """daytimed with a connected socket as its standard input; our end and the process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname(), timeout=60)
        theirs, _ = listener.accept()
    with theirs:
        process = subprocess.Popen(["./bin/daytimed", *options], stdin=theirs, stdout=theirs,
                                   stderr=err or theirs, **instance.options(env))
    return ours, process


def test_nowait_needs_no_store(instance):
    """Neither listener nor store: a short question costs neither. xinetd hands over 0, 1 and 2."""
    ours, process = serve_nowait(instance, env={"QUINTET_STATE": "nowhere"})
    with talk.context(instance).wrap_socket(ours, server_hostname=instance.host) as tls:
        tls.sendall(b"daytime zone Asia/Tokyo\r\nend\r\n")
        banner, answer, rest = talk.read_to_end(tls).decode().split("\r\n")
    assert_now(banner)
    assert_now(answer)
    assert rest == "" and process.wait(60) == 0


def test_inetd_wait_and_idle_exit(make_instance):
    """A listening socket as standard input; it leaves by itself, and not before its session."""
    own = make_instance()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        first = talk.raw(listener.getsockname()[1])  # there before it is, or it might be gone already
        service = own.spawn("inetd", ["./bin/daytimed", "--idle-exit=1s"], stdin=listener,
                            port=listener.getsockname()[1])
    with talk.Dialogue(own, service.port) as d:
        first.close()
        time.sleep(2)
        assert_now(d.ask("daytime"))
        assert service.process.poll() is None
    assert service.process.wait(60) == 0


def test_nowait_time_stamp_by_alpn(instance):
    ours, process = serve_nowait(instance)
    with talk.context(instance, alpn=["http/1.1"]).wrap_socket(
            ours, server_hostname=instance.host) as tls:
        assert tls.selected_alpn_protocol() == "http/1.1"
        tls.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert talk.read_to_end(tls).startswith(b"HTTP/1.1 200 ")
    assert process.wait(60) == 0


@pytest.mark.parametrize("options,env", [
    (["--door=ftp"], {}), (["--max=0"], {}), (["--max=x"], {}), (["more"], {}), (["--nonsense"], {}),
    ([], {"QUINTET_DOMAIN": "Not A Domain"}), ([], {"QUINTET_PORT_CA": "0"}),
    ([], {"QUINTET_CREDENTIALS": "nowhere"}), ([], {"QUINTET_CONF": "nowhere"}),
])
def test_misconfiguration_is_100_and_nothing_reaches_the_peer(instance, tmp_path, options, env):
    with open(tmp_path / "err", "wb") as err:
        ours, process = serve_nowait(instance, *options, env=env, err=err)
    assert drain(ours) == b""
    ours.close()
    assert process.wait(60) == 100
    assert "error:" in (tmp_path / "err").read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try to run it as root")
def test_refuses_root(instance):
    done = subprocess.run(["./bin/daytimed"], cwd=instance.root, env=instance.env, text=True,
                          capture_output=True, stdin=socket.socket(), check=False)
    assert done.returncode == 100
    ours, theirs = socket.socketpair()
    done = subprocess.run(["./bin/daytimed"], cwd=instance.root, env=instance.env, text=True,
                          capture_output=True, stdin=theirs, check=False)
    ours.close()
    theirs.close()
    assert done.returncode == 100 and "will not run as root" in done.stderr


def test_help_and_version(instance):
    assert "timestamp" in instance.run("daytimed", "--help").stdout
    assert re.fullmatch(r"daytimed [0-9.]+\n",
                        instance.run("daytimed", "--version").stdout)
    assert (UID, GID) != (0, 0)
