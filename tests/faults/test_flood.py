"""Floods and bad peers beyond the limits: they cost their owner, and normal service follows at once."""

import os
import random
import socket
import ssl
import subprocess
import time

from instance import until

LIMIT = 20


def ask_time(instance, port):
    """A whole verified dialogue; the banner."""
    context = ssl.create_default_context(cafile=str(instance.root_pem))
    with socket.create_connection(("127.0.0.1", port), timeout=60) as raw:
        with context.wrap_socket(raw, server_hostname="localhost") as tls:
            line = tls.recv(200)
            tls.sendall(b"end\r\n")
            assert line.endswith(b"\r\n"), line
            return line


def closed(sock, seconds=60.0):
    """True when the server has closed this one."""
    sock.settimeout(seconds)
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True
    except socket.timeout:
        return False


def test_silent_peers_up_to_the_limit_and_beyond(make_instance):
    instance = make_instance()
    instance.start_signer()
    service = instance.start("daytimed", f"--max={LIMIT}", "--per-source=0")
    silent = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(LIMIT)]
    until(lambda: len(service.sessions()) == LIMIT, what="all sessions")
    with socket.create_connection(("127.0.0.1", service.port)) as one_more:
        assert closed(one_more), "the one beyond the limit is refused"
    assert len(service.sessions()) == LIMIT
    silent.pop().close()
    until(lambda: len(service.sessions()) < LIMIT, what="room")
    assert ask_time(instance, service.port)
    for sock in silent:
        sock.close()
    until(lambda: not service.sessions(), what="the end of all sessions")
    assert ask_time(instance, service.port)


def test_flood_of_connections_then_normal_service(make_instance):
    instance = make_instance()
    instance.start_signer()
    service = instance.start("daytimed", f"--max={LIMIT}", "--per-source=0")
    seed = random.SystemRandom().randrange(2**32)
    rng = random.Random(seed)
    print("seed", seed)
    held, end = [], time.monotonic() + 6
    while time.monotonic() < end and len(held) < 3000:
        try:
            sock = socket.create_connection(("127.0.0.1", service.port), timeout=2)
        except OSError:
            continue
        sock.setblocking(False)
        try:
            kind = rng.randrange(4)
            if kind == 1:
                sock.send(rng.randbytes(rng.randrange(1, 600)))
            elif kind == 2:
                sock.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(40))
            elif kind == 3:
                sock.close()
                continue
        except OSError:
            pass
        held.append(sock)
        assert len(service.sessions()) <= LIMIT
    assert service.process.poll() is None
    for sock in held:
        sock.close()
    until(lambda: not service.sessions(), what="the end of the flood")
    assert until(lambda: attempt(instance, service.port), what="normal service")


def attempt(instance, port):
    try:
        return ask_time(instance, port)
    except OSError:
        return None


def test_slow_handshake_is_ended_by_its_deadline(make_instance):
    """A peer that feeds its handshake byte by byte for ever meets the deadline of the stage."""
    instance = make_instance()
    instance.start_signer()
    service = instance.start("daytimed", f"--max={LIMIT}")
    hello = b"\x16\x03\x01\x10\x00\x01\x00\x0f\xfc\x03\x03" + bytes(64)
    with socket.create_connection(("127.0.0.1", service.port)) as sock:
        began = time.monotonic()
        sock.settimeout(0.3)
        for byte in hello:
            try:
                sock.send(bytes([byte]))
                if sock.recv(1) == b"":
                    break
            except socket.timeout:
                continue
            except OSError:
                break
        took = time.monotonic() - began
        assert 8 < took < 25, took
    assert ask_time(instance, service.port)


def test_stopped_session_does_not_stop_the_others(make_instance):
    """A frozen process between its transactions: the store and all services go on."""
    instance = make_instance()
    instance.start_signer()
    cad = instance.start("cad")
    daytimed = instance.start("daytimed")
    with socket.create_connection(("127.0.0.1", cad.port)):
        pid = until(cad.sessions, what="a session")[0]
        os.kill(pid, 19)
        try:
            assert ask_time(instance, daytimed.port)
            done = subprocess.run(["curl", "-sS", "--fail", "--cacert", instance.root_pem,
                                   f"https://localhost:{cad.port}/.well-known/est/cacerts"],
                                  capture_output=True, timeout=60)
            assert done.returncode == 0, done
            instance.ctl("invite", "create")
        finally:
            os.kill(pid, 18)
