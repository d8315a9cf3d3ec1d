"""CMP (RFC 4210) with stock `openssl cmp` over TLS."""

import secrets

import pytest

from cadtools import Person, new_csr, new_key, ocsp, run, verify


def cmp(instance, *options, check=True):
    """At most 30 seconds; the client speaks TLS and keeps its connection unless told otherwise."""
    return run("openssl", "cmp", "-config", "", "-section", "", "-server", f"localhost:{instance.ports['ca']}",
               "-path", ".well-known/cmp", "-tls_used", "-tls_trusted", instance.root_pem, "-tls_host",
               "localhost", "-total_timeout", "30", "-trusted", instance.root_pem, *options, check=check)


def reference(instance, name):
    ref, secret = instance.ctl("invite", "--cmp", name).stdout.split()[:2]
    return ["-ref", ref, "-secret", f"pass:{secret}"]


@pytest.fixture
def person(instance):
    return Person(instance, "cmp" + secrets.token_hex(6), make=False)


@pytest.fixture
def enrolled(instance):
    return Person(instance, "cmp" + secrets.token_hex(6)).enroll()


def subject(person):
    return ["-subject", f"/CN={person.name}"]


def signed(instance, person):
    return ["-cert", person.cert, "-key", person.key, "-untrusted", instance.chain_pem]


CONFIRM = pytest.mark.parametrize("options", [[], ["-implicit_confirm"],
                                              ["-implicit_confirm", "-keep_alive", "0"]])


@CONFIRM
@pytest.mark.parametrize("command", ["ir", "cr"])
def test_first_certificate_by_reference(instance, person, command, options):
    cmp(instance, "-cmd", command, *reference(instance, person.name), "-newkey", person.key, *subject(person),
        "-certout", person.cert, *options)
    verify(instance, person.cert, "-purpose", "sslclient")


@CONFIRM
def test_p10cr(instance, person, options):
    csr = new_csr(person.key, f"/CN={person.name}", form="PEM")
    cmp(instance, "-cmd", "p10cr", *reference(instance, person.name), "-csr", csr, "-certout", person.cert,
        *options)
    verify(instance, person.cert)


def test_the_roots_come_along(instance, person):
    roots = person.work / "roots.pem"
    cmp(instance, "-cmd", "ir", *reference(instance, person.name), "-newkey", person.key, *subject(person),
        "-certout", person.cert, "-cacertsout", roots)
    sha = ["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in"]
    assert run(*sha, roots).stdout == run(*sha, instance.root_pem).stdout


def test_a_reference_counts_once(instance, person):
    proof = reference(instance, person.name)
    ask = ["-cmd", "ir", *proof, "-newkey", person.key, *subject(person), "-certout", person.cert]
    cmp(instance, *ask)
    done = cmp(instance, *ask, check=False)
    assert done.returncode != 0 and "used up" in done.stdout + done.stderr


def test_confirmation_on_another_connection_is_refused(instance, person):
    done = cmp(instance, "-cmd", "ir", *reference(instance, person.name), "-newkey", person.key,
               *subject(person), "-certout", person.cert, "-keep_alive", "0", check=False)
    assert done.returncode != 0 and not person.cert.exists()


def test_a_wrong_secret(instance, person):
    proof = reference(instance, person.name)
    proof[3] = "pass:wrong"
    done = cmp(instance, "-cmd", "ir", *proof, "-newkey", person.key, *subject(person), "-certout",
               person.cert, check=False)
    assert done.returncode != 0 and not person.cert.exists()


def test_other_names_are_refused(instance, person):
    done = cmp(instance, "-cmd", "ir", *reference(instance, person.name), "-newkey", person.key, "-subject",
               "/CN=root", "-certout", person.cert, check=False)
    assert done.returncode != 0 and "own name" in done.stdout + done.stderr


@CONFIRM
def test_update(instance, enrolled, options):
    new = new_key(enrolled.work / f"{enrolled.name}.new.key")
    out = enrolled.work / f"{enrolled.name}.new.pem"
    cmp(instance, "-cmd", "kur", *signed(instance, enrolled), "-newkey", new, "-certout", out, *options)
    verify(instance, out)
    assert run("openssl", "x509", "-in", out, "-noout", "-subject").stdout == \
        run("openssl", "x509", "-in", enrolled.cert, "-noout", "-subject").stdout


def test_update_by_a_revoked_certificate(instance, enrolled):
    cmp(instance, "-cmd", "rr", "-oldcert", enrolled.cert, "-revreason", "1", *signed(instance, enrolled))
    new = new_key(enrolled.work / f"{enrolled.name}.new.key")
    done = cmp(instance, "-cmd", "kur", *signed(instance, enrolled), "-newkey", new, "-certout",
               enrolled.work / "never.pem", check=False)
    assert done.returncode != 0 and "revoked" in done.stdout + done.stderr


@pytest.mark.parametrize("reason", ["7", "8"])
def test_reasons_that_no_list_can_carry(instance, enrolled, reason):
    """One row with such a reason would stop the revocation list of everybody."""
    done = cmp(instance, "-cmd", "rr", "-oldcert", enrolled.cert, "-revreason", reason,
               *signed(instance, enrolled), check=False)
    assert done.returncode != 0
    assert ocsp(instance, enrolled.cert) == "good"


@pytest.mark.parametrize("options", [[], ["-keep_alive", "0"]])
def test_revocation(instance, enrolled, options):
    assert ocsp(instance, enrolled.cert) == "good"
    cmp(instance, "-cmd", "rr", "-oldcert", enrolled.cert, "-revreason", "1", *signed(instance, enrolled),
        *options)
    assert ocsp(instance, enrolled.cert) == "revoked"
    done = verify(instance, enrolled.cert, check=False)
    assert "certificate revoked" in done.stdout + done.stderr


def test_nobody_revokes_for_others(instance, enrolled):
    other = Person(instance, "cmp" + secrets.token_hex(6)).enroll()
    done = cmp(instance, "-cmd", "rr", "-oldcert", other.cert, "-revreason", "1", *signed(instance, enrolled),
               check=False)
    assert done.returncode != 0
    assert ocsp(instance, other.cert) == "good"


def test_general_message(instance, enrolled):
    cmp(instance, "-cmd", "genm", *signed(instance, enrolled))


def test_an_unprotected_message_is_refused(instance, person):
    done = cmp(instance, "-cmd", "ir", "-unprotected_requests", "-newkey", person.key, *subject(person),
               "-certout", person.cert, check=False)
    assert done.returncode != 0 and not person.cert.exists()
