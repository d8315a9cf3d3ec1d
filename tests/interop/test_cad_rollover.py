"""A new issuing CA takes over: what the old one has issued stays good, revocable and renewable."""

import base64

from cadtools import EST, Person, form, get, new_csr, ocsp, post, run, save_p7


def issuer(path):
    return run("openssl", "x509", "-in", path, "-noout", "-issuer").stdout.strip()


def serial(person):
    return {"serial": person.serial()}


def check(own, cert, *options, check=True):
    """With the revocation lists of all three authorities."""
    text = ""
    for number in (0, 1, 2):
        der = own.root / f"work/{number}.crl"
        run("curl", "-sS", "--fail", "-o", der, f"http://localhost:{own.ports['ca_plain']}/ca/{number}.crl")
        text += run("openssl", "crl", "-inform", "DER", "-in", der).stdout
    crls = own.root / "work/all3.crl"
    crls.write_text(text)
    return run("openssl", "verify", "-x509_strict", "-crl_check_all", "-CRLfile", crls, "-CAfile", own.root_pem,
               "-untrusted", own.chain_pem, *options, cert, check=check)


def split_chain(own):
    """One file for each issuing CA, by its subject."""
    files = {}
    blocks = own.chain_pem.read_text().split("-----END CERTIFICATE-----")[:-1]
    for n, block in enumerate(blocks):
        path = own.root / f"work/chain-{n}.pem"
        path.write_text(block + "-----END CERTIFICATE-----\n")
        files[run("openssl", "x509", "-in", path, "-noout", "-subject").stdout.split("=", 1)[1].strip()] = path
    return files


def ocsp_by(own, cert):
    """openssl ocsp with the CA that issued it."""
    ca = split_chain(own)[issuer(cert).split("=", 1)[1].strip()]
    done = run("openssl", "ocsp", "-issuer", ca, "-cert", cert, "-url",
               f"http://localhost:{own.ports['ca_plain']}/ocsp", "-CAfile", own.root_pem, "-verify_other",
               own.chain_pem)
    assert "Response verify OK" in done.stderr, done.stderr
    return done.stdout.split(": ")[1].split()[0]


def test_rollover(make_instance):
    own = make_instance()
    running = [own.start(name) for name in ("cad-signer", "cad", "cad-plain")]
    old, renewed = Person(own, "olga").enroll(), Person(own, "rene").enroll()
    assert ocsp(own, old.cert) == "good"
    done = own.ctl("ca", "roll", "--root-key", "conf/root.key", check=False)
    assert done.returncode == 111 and "restart cad-signer" in done.stderr
    # A listener that still has the old keys says so; it does not sign with what has retired.
    status, headers, body = post(own, EST + "/simpleenroll",
                                 base64.b64encode(new_csr(old.key, "/CN=olga").read_bytes()), user=old.auth)
    assert status == 503 and int(headers["Retry-After"]) > 0, body
    for service in running:
        service.stop()
    for name in ("cad-signer", "cad", "cad-plain"):
        own.start(name)
    own.ctl("renew", "--force")

    fresh = Person(own, "nina").enroll()
    assert issuer(fresh.cert) != issuer(old.cert)
    for person in (old, fresh):
        check(own, person.cert, "-purpose", "sslclient")
        assert ocsp_by(own, person.cert) == "good"
        assert get(own, "/account", person=person)[0] == 200
    _, _, body = get(own, EST + "/cacerts")
    assert save_p7(body, own.root / "work/three.pem") == 3

    csr = new_csr(renewed.key, "/CN=rene", "-addext", f"subjectAltName=email:rene@{own.domain}")
    status, _, body = post(own, EST + "/simplereenroll", base64.b64encode(csr.read_bytes()), person=renewed)
    assert status == 200, body
    save_p7(body, renewed.cert)
    assert issuer(renewed.cert) == issuer(fresh.cert)
    check(own, renewed.cert)

    assert form(own, "/account/revoke", serial(old), user=old.auth)[0] == 200
    assert ocsp_by(own, old.cert) == "revoked"
    assert check(own, old.cert, check=False).returncode != 0
    assert get(own, "/account", person=old)[0] == 401
