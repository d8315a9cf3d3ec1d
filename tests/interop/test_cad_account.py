"""The account API, the directory, and revocation's reach."""

import hashlib
import secrets
import ssl
import time

import pytest

from cadtools import EST, Person, connection, form, get, run

PASSWORD = "a password of some length"


@pytest.fixture
def person(instance):
    return Person(instance, "acc" + secrets.token_hex(6))


def invite(instance):
    return instance.ctl("invite").stdout.split()[1]


def create(instance, name, token=None, password=PASSWORD):
    fields = {"name": name, "password": password}
    if token:
        fields["invite"] = token
    return form(instance, "/account/create", fields)


def test_directory(instance):
    status, headers, body = get(instance, "/.well-known/quintet")
    assert status == 200 and headers["Content-Type"].startswith("text/plain")
    lines = dict(line.split(" ", 1) for line in body.decode().splitlines() if not line.startswith("door"))
    der = ssl.PEM_cert_to_DER_cert(instance.root_pem.read_text())
    assert lines == {"domain": instance.domain, "host": instance.host,
                     "root-sha256": hashlib.sha256(der).hexdigest()}
    assert f"door ca https {instance.ports['ca']}\n" in body.decode()
    assert f"door daytime daytimes {instance.ports['daytime']}\n" in body.decode()
    assert f"door ftps ftps {instance.ports['ftps']}\n" in body.decode()
    assert f"door ftp ftp {instance.ports['ftp']}\n" in body.decode()


def test_create_by_invite(instance):
    name, token = "new" + secrets.token_hex(6), invite(instance)
    assert create(instance, name)[0] == 403
    assert create(instance, name, "abcd-efgh-ijkl")[0] == 403
    status, _, body = create(instance, name, token)
    assert (status, body) == (201, b"created\n")
    status, _, body = get(instance, "/account", user=f"{name}:{PASSWORD}")
    assert status == 200 and f"address {name}@{instance.domain}\n".encode() in body
    assert create(instance, "new" + secrets.token_hex(6), token)[0] == 403


@pytest.mark.parametrize("name", ["root", "localhost", "postmaster", "admin", "1abc", "-abc", "a b", "ä", "",
                                  "a" * 33, "a/b", "a@b", "a\nb", "a\x00b"])
def test_names_that_nobody_gets(instance, name):
    status, _, body = create(instance, name, invite(instance))
    assert status == 400 and len(body) > 10


def test_taken_names_and_bad_passwords(instance, person):
    token = invite(instance)
    assert create(instance, person.name, token)[0] == 409
    assert create(instance, person.name.upper(), token)[0] == 409
    for password in ("short", "x" * 1100, "with\x07bell", person.name + "x"):
        assert create(instance, person.name + "x", token, password)[0] == 400
    assert form(instance, "/account/create", {"name": person.name + "x", "invite": token})[0] == 400
    assert create(instance, person.name + "x", token)[0] == 201


def test_closed_and_open_sign_up(make_instance):
    own = make_instance()
    own.start("cad-signer")
    own.start("cad")
    own.ctl("set", "signup", "closed")
    assert create(own, "carla")[0] == 403
    own.ctl("set", "signup", "open")
    assert create(own, "carla")[0] == 201
    assert create(own, "carla")[0] == 409


def test_change_password(instance, person):
    status, _, _ = form(instance, "/account/password", {"new": "another fine password"}, user=person.auth)
    assert status == 200
    assert get(instance, "/account", user=person.auth)[0] == 401
    assert get(instance, "/account", user=person.name + ":another fine password")[0] == 200
    for bad in ("short", person.name):
        assert form(instance, "/account/password", {"new": bad},
                    user=person.name + ":another fine password")[0] == 400


def test_a_forgotten_password(instance, person):
    """The certificate is enough to set a new one."""
    person.enroll()
    assert form(instance, "/account/password", {"new": "remembered at last"}, person=person)[0] == 200
    assert get(instance, "/account", user=person.name + ":remembered at last")[0] == 200


def test_certificates_are_listed_and_revoked(instance, person):
    person.enroll()
    status, _, body = get(instance, "/account/certificates", user=person.auth)
    serial, state, _, _, profile = body.decode().split()
    assert (status, serial, state, profile) == (200, person.serial(), "valid", "user")
    assert form(instance, "/account/revoke", {"serial": serial, "reason": "nonsense"}, user=person.auth)[0] == 400
    assert form(instance, "/account/revoke", {"serial": "zz"}, user=person.auth)[0] == 400
    other = Person(instance, "acc" + secrets.token_hex(6))
    assert form(instance, "/account/revoke", {"serial": serial}, user=other.auth)[0] == 404
    assert form(instance, "/account/revoke", {"serial": serial, "reason": "superseded"},
                user=person.auth)[2] == b"revoked\n"
    _, _, body = get(instance, "/account/certificates", user=person.auth)
    assert body.decode().split()[1] == "revoked"
    assert form(instance, "/account/revoke", {"serial": serial}, user=person.auth)[2] == b"revoked already\n"


def test_certificates_of_others(instance, person):
    person.enroll()
    asker = Person(instance, "acc" + secrets.token_hex(6)).enroll()
    path = "/certificates/" + person.name
    assert get(instance, path)[0] == 401
    status, headers, body = get(instance, path, person=asker)
    assert (status, headers["Content-Type"]) == (200, "application/pem-certificate-chain")
    first = person.cert.read_text()
    first = first[first.index("-----BEGIN"):first.index("-----END")]
    assert body.count(b"BEGIN CERTIFICATE") == 1 and first.encode() in body
    # each device has one of its own
    second = Person(instance, person.name, make=False).enroll()
    assert get(instance, path, user=asker.auth)[2].count(b"BEGIN CERTIFICATE") == 2
    form(instance, "/account/revoke", {"serial": person.serial()}, user=person.auth)
    body = get(instance, path.upper().replace("CERTIFICATES", "certificates"), person=asker)[2]
    assert body.count(b"BEGIN CERTIFICATE") == 1 and first.encode() not in body
    form(instance, "/account/revoke", {"serial": second.serial()}, user=person.auth)
    assert get(instance, path, person=asker)[0] == 404
    assert get(instance, "/certificates/nobody-at-all", person=asker)[0] == 404
    assert get(instance, "/certificates/..%2fx", person=asker)[0] == 404


def test_certificates_of_a_locked_account(instance, person):
    person.enroll()
    asker = Person(instance, "acc" + secrets.token_hex(6))
    assert get(instance, "/certificates/" + person.name, user=asker.auth)[0] == 200
    instance.ctl("user", "lock", person.name)
    assert get(instance, "/certificates/" + person.name, user=asker.auth)[0] == 404


def test_a_revoked_certificate_opens_nothing(instance, person):
    person.enroll()
    assert get(instance, "/account", person=person)[0] == 200
    form(instance, "/account/revoke", {"serial": person.serial()}, user=person.auth)
    status, _, body = get(instance, "/account", person=person)
    assert status == 401 and b"revoked" in body
    # but a password still does
    assert get(instance, "/account", person=person, user=person.auth)[0] == 200
    status, _, body = get(instance, EST + "/cacerts", person=person)
    assert status == 200


def test_revocation_reaches_the_live_session(instance, person):
    person.enroll()
    live = connection(instance, person)
    live.request("GET", "/account")
    assert live.getresponse().read()
    time.sleep(1.3)  # past the session's registration
    form(instance, "/account/revoke", {"serial": person.serial()}, user=person.auth)
    live.sock.settimeout(60)
    start = time.monotonic()
    assert live.sock.recv(1) == b"", "the session should have ended"
    assert time.monotonic() - start < 5  # without the bell it would be 15 s
    live.close()


def test_a_locked_account(instance, person):
    person.enroll()
    instance.ctl("user", "lock", person.name)
    assert get(instance, "/account", user=person.auth)[0] == 401
    assert get(instance, "/account", person=person)[0] == 401


def test_the_audit_holds(instance, person):
    person.enroll()
    form(instance, "/account/revoke", {"serial": person.serial()}, user=person.auth)
    text = instance.ctl("audit").stdout
    assert "cert-issue" in text and "cert-revoke" in text and person.name in text
    instance.ctl("audit", "--verify")
    assert person.password not in instance.log_text()


def test_methods_and_types(instance, person):
    assert run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", instance.root_pem, "-X",
               "PUT", "-d", "x", f"https://localhost:{instance.ports['ca']}/account").stdout == "405"
    from cadtools import post
    assert post(instance, "/account/create", b"name=x", kind="text/plain")[0] == 415
    for body in (b"name=%zz", b"a=1&a=2", b"name", b"&".join(b"f%d=1" % i for i in range(40))):
        status = post(instance, "/account/create", body, kind="application/x-www-form-urlencoded")[0]
        assert status == 400, body
