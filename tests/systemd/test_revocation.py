"""Revocation, lock and removal end live sessions within a second, across units that cannot see each
other (PrivateUsers, PrivateNetwork): the bell reaches them all. (A new password ends sessions that
were opened with the old one; neither service here keeps such sessions: cad asks at each request.)
"""

import time

import pytest
from house import ask, assert_time, seconds_until_closed

LIMIT_S = 5.0  # a second, and some for a busy machine; without the bell it would be 15


def live_sessions(house, identity):
    """One in each service, both known to be this account's; and a stranger's."""
    daytime = house.daytime(identity=identity)
    cad = house.tls("cad", identity=identity, alpn="http/1.1")
    cad.sendall(b"GET /account HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = cad.recv(4096)
    assert answer.startswith(b"HTTP/1.1 200"), answer
    return daytime, cad


@pytest.mark.parametrize("act", ["revoke", "lock", "remove"])
def test_live_sessions_end_within_a_second(house, tmp_path, act):
    name = f"ends-{act}"
    identity = house.enrol(tmp_path, name)
    sessions = live_sessions(house, identity)
    stranger = house.daytime()
    house.wait_until(lambda: house.ctl("--json", "top").count(f'"{name}"') == 2)
    start = time.monotonic()
    if act == "revoke":
        house.ctl("cert", "revoke", house.serial_of(name))
    else:
        house.ctl("user", act, name)
    for s in sessions:
        seconds_until_closed(s)
    took = time.monotonic() - start
    print(f"{act}: both sessions had ended after {took:.3f} s")
    assert took < LIMIT_S
    assert_time(ask(stranger))
    stranger.close()


def test_a_revoked_certificate_opens_nothing(house, tmp_path):
    identity = house.enrol(tmp_path, "late")
    house.ctl("cert", "revoke", house.serial_of("late"))
    with house.tls("cad", identity=identity, alpn="http/1.1") as cad:
        cad.sendall(b"GET /account HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert cad.recv(4096).startswith(b"HTTP/1.1 401")
