"""What a client certificate does at daytimed, and how a live session notices that it is no good any
more. With it, what lib/service does for every service: registration, wake, neighbours, walls."""

import hashlib
import json
import os
import signal
import time

import pytest
from cryptography import x509

import talk
from instance import Instance, KEPT, TOP, until

from forge import issuer_of, sign  # certs/, found through instance

PASSWORD = "correct horse battery"
WITHIN_S = 5.0  # a second, and some for a busy machine; without the bell it would be 15


@pytest.fixture(scope="module")
def port(instance):
    return instance.ports["daytime"]


@pytest.fixture
def person(instance, request):
    """An account of the test's own, with its key and certificate."""
    name = "p" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    instance.account(name, PASSWORD)
    return name, instance.enroll(name, PASSWORD)


def serial_of(pair):
    return f"{x509.load_pem_x509_certificate(pair[1].read_bytes()).serial_number:032x}"


def whoami(instance, port, pair):
    with talk.Dialogue(instance, port, cert=pair) as d:
        assert "day " in d.banner
        return d.ask("whoami")


@pytest.fixture
def issuing(instance):
    return issuer_of(instance)


# -- certificates -------------------------------------------------------------------------------


def test_own_certificate(instance, port, person):
    assert whoami(instance, port, person[1]) == f"whoami {person[0]}"


def test_expired_certificate(instance, port, issuing, tmp_path):
    pair = sign(tmp_path, "anna", *issuing, days=(-2, -1))
    assert "expired" in whoami(instance, port, pair)


def test_certificate_of_the_future(instance, port, issuing, tmp_path):
    pair = sign(tmp_path, "anna", *issuing, days=(1, 2))
    assert "not yet valid" in whoami(instance, port, pair)


def test_foreign_certificate(instance, port, tmp_path):
    answer = whoami(instance, port, sign(tmp_path, "anna", None, None))
    assert answer == "whoami nobody: self-signed certificate"


def test_certificate_that_the_store_does_not_know(instance, port, person, issuing, tmp_path):
    answer = whoami(instance, port, sign(tmp_path, person[0], *issuing))
    assert answer == "whoami nobody: the certificate is not one of this authority"


@pytest.mark.parametrize("usage", ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.8"])
def test_certificate_of_the_wrong_purpose(instance, port, person, issuing, tmp_path, usage):
    answer = whoami(instance, port, sign(tmp_path, person[0], *issuing, usage=[usage]))
    assert answer == "whoami nobody: unsuitable certificate purpose"


def test_service_certificate_is_nobody(instance, port):
    own = [instance.path(f"conf/credentials/cad/tls.{kind}") for kind in ("key", "pem")]
    assert whoami(instance, port, own).startswith("whoami nobody: ")


def test_revoked_certificate(instance, port, person):
    instance.ctl("cert", "revoke", serial_of(person[1]))
    answer = whoami(instance, port, person[1])
    assert answer.startswith("whoami nobody: ") and "revoked" in answer


# -- live sessions ------------------------------------------------------------------------------


@pytest.mark.parametrize("age_s", [0.0, 1.5])
def test_revocation_ends_a_live_session(instance, port, person, age_s):
    """Also one so young that it is not registered yet."""
    with talk.Dialogue(instance, port, cert=person[1]) as d:
        assert d.ask("whoami") == f"whoami {person[0]}"
        time.sleep(age_s)
        instance.ctl("cert", "revoke", serial_of(person[1]))
        start = time.monotonic()
        assert d.line() == "error: your certificate or account is no longer valid, closing"
        assert d.at_end()
        assert time.monotonic() - start < WITHIN_S


def test_lock_ends_a_live_session_and_not_another(instance, port, person):
    instance.account("bystander", PASSWORD)
    other = instance.enroll("bystander", PASSWORD)
    with talk.Dialogue(instance, port, cert=person[1]) as d, \
            talk.Dialogue(instance, port, cert=other) as by:
        time.sleep(1.5)
        instance.ctl("user", "lock", person[0])
        assert d.line().startswith("error: your certificate or account")
        assert by.ask("whoami") == "whoami bystander"
    assert whoami(instance, port, person[1]).startswith("whoami nobody: ")
    instance.ctl("user", "unlock", person[0])
    assert whoami(instance, port, person[1]) == f"whoami {person[0]}"


def sessions(own):
    return json.loads(own.ctl("--json", "top", "--once").stdout)


def test_long_sessions_are_listed_and_short_ones_commit_nothing(make_instance):
    own = make_instance()
    for name in ("cad-signer", "cad"):
        own.start(name)
    service = own.start("daytimed")
    own.account("anna", PASSWORD)
    pair = own.enroll("anna", PASSWORD)
    data = own.path("state/store/data.mdb")
    shorts, end = 0, time.monotonic() + 60
    while shorts < 3:
        before, start = hashlib.sha256(data.read_bytes()).digest(), time.monotonic()
        assert start < end, "no session is short here"
        assert whoami(own, own.ports["daytime"], pair) == "whoami anna"
        until(lambda: service.sessions() == [], what="the end of the session")
        if time.monotonic() - start < 0.9:  # a busy machine may have made it a long one
            assert hashlib.sha256(data.read_bytes()).digest() == before
            shorts += 1
    start = time.monotonic()
    with talk.Dialogue(own, own.ports["daytime"], cert=pair), \
            talk.Dialogue(own, own.ports["daytime"]):
        young = sessions(own)
        assert young == [] or time.monotonic() - start > 0.9
        rows = until(lambda: len(sessions(own)) == 2 and sessions(own), what="registration")
        assert sorted(row["account"] for row in rows) == ["", "anna"]
        assert {row["service"] for row in rows} == {"daytimed"}
        assert len(list(own.path("runtime/bells").iterdir())) == 1
    until(lambda: sessions(own) == [], what="the end of the rows")
    assert list(own.path("runtime/bells").iterdir()) == []


def test_neighbours_bury_a_killed_session(make_instance):
    own = make_instance()
    service = own.start("daytimed")
    full = [talk.Dialogue(own, service.port) for _ in range(5)]
    until(lambda: len(sessions(own)) == 5, what="registration")
    for pid in service.sessions()[:3]:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(sessions(own)) == 2, seconds=WITHIN_S, what="the removal of dead rows")
    for d in full:
        d.close()


# -- walls --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hooked():
    """An instance of the test build, whose services try their own walls when told to."""
    if not (TOP / "build/asan/bin/daytimed").exists():
        pytest.skip("build/asan is not built")
    own = Instance(variant="asan")
    yield own
    own.close()


def breach(own, wall):
    """What a session under that attempt leaves in the log, and whether its peer was served."""
    service = own.start("daytimed", env={"QUINTET_TEST_WALLS": wall})
    served = False
    try:
        with talk.Dialogue(own, service.port) as d:
            served = "day " in d.banner
    except (OSError, AssertionError):
        pass
    until(lambda: "session ended" in service.text() or "died of a signal" in service.text(),
          what="the end of the session")
    service.stop()
    return service.text(), served


@pytest.mark.parametrize("wall", ["open", "write"] + ["store"] * KEPT)
def test_files_are_walled_off(hooked, wall):
    text, served = breach(hooked, wall)
    assert "wall held" in text and "breached" not in text and served


@pytest.mark.parametrize("wall", ["connect", "exec"])
def test_network_and_programs_are_deadly(hooked, wall):
    text, served = breach(hooked, wall)
    assert f'VALUE="{int(signal.SIGSYS)}"' in text and "breached" not in text and not served
