"""Submission's dialogue: what is offered, who may come in, what may be said when, and what ends a
session."""

import base64
import os
import re

import pytest

import talk
from instance import until
from smtps import PASSWORD, Smtps, letter, plain, with_subject

ANN, BOB = "subann", "subbob"


@pytest.fixture(scope="module")
def people(instance):
    for name in (ANN, BOB):
        instance.account(name, PASSWORD)
    return instance.enroll(ANN, PASSWORD)


@pytest.fixture
def ann(instance, people):
    with Smtps(instance, ANN) as client:
        yield client


def b64(text):
    return base64.b64encode(text.encode()).decode()


# -- what is offered ------------------------------------------------------------------------------

def test_greeting_and_extensions(instance, people):
    with Smtps(instance) as client:
        assert client.banner.code == 220 and client.banner.text.startswith("localhost ESMTP ")
        said = client.expect("EHLO somewhere", 250)
        assert said.lines[0].split()[0] == "localhost"
        assert set(said.lines[1:]) == {"AUTH PLAIN LOGIN", "8BITMIME", "SMTPUTF8", "PIPELINING", "CHUNKING",
                                       "ENHANCEDSTATUSCODES", "HELP", "SIZE 26214400"}
        assert client.expect("HELO somewhere", 250).lines == ["localhost"]
        assert client.expect("NOOP anything", 250).status == "2.0.0"
        verbs = {line.split()[1] for line in client.expect("HELP", 214).lines[:-1]}
        assert {"MAIL", "RCPT", "DATA", "BDAT", "AUTH", "QUIT", "VRFY", "RSET"} <= verbs
        assert client.expect("QUIT", 221).status == "2.0.0" and client.ended()
    with Smtps(instance, cert=people) as client:
        assert "AUTH PLAIN LOGIN EXTERNAL" in client.expect("EHLO x", 250).lines


def test_the_size_that_is_offered_is_the_policy(make_instance):
    own = make_instance()
    own.start("maild-submission")
    own.ctl("set", "mail_size", "1M")
    with Smtps(own) as client:
        assert "SIZE 1048576" in client.expect("EHLO x", 250).lines


# -- log-in ---------------------------------------------------------------------------------------

def test_plain_in_all_its_forms(instance, people):
    for name in (ANN, ANN.upper(), f"{ANN}@quintet.test", f"{ANN}@LOCALHOST"):
        for authzid in ("", ANN):
            with Smtps(instance) as client:
                client.expect("EHLO x", 250)
                assert client.expect(f"AUTH PLAIN {plain(name, authzid=authzid)}", 235).status == "2.7.0"
    with Smtps(instance) as client:
        client.expect("EHLO x", 250)
        assert client.expect("auth plain", 334).text == ""
        client.expect(plain(ANN), 235)
        assert client.expect(f"AUTH PLAIN {plain(ANN)}", 503).status == "5.5.1"


def test_login(instance, people):
    with Smtps(instance) as client:
        client.expect("EHLO x", 250)
        assert base64.b64decode(client.expect("AUTH LOGIN", 334).text) == b"Username:"
        assert base64.b64decode(client.expect(b64(ANN), 334).text) == b"Password:"
        client.expect(b64(PASSWORD), 235)
    with Smtps(instance) as client:
        client.expect("EHLO x", 250)
        client.expect(f"AUTH LOGIN {b64(ANN + '@quintet.test')}", 334)
        client.expect(b64(PASSWORD), 235)


def test_external(instance, people):
    for command in ("AUTH EXTERNAL =", f"AUTH EXTERNAL {b64(ANN)}", f"AUTH EXTERNAL {b64(ANN + '@quintet.test')}"):
        with Smtps(instance, cert=people) as client:
            client.expect("EHLO x", 250)
            client.expect(command, 235)
    with Smtps(instance, cert=people) as client:
        client.expect("EHLO x", 250)
        client.expect("AUTH EXTERNAL", 334)
        client.expect("", 235)
    with Smtps(instance, cert=people) as client:
        client.expect("EHLO x", 250)
        assert "another" in client.expect(f"AUTH EXTERNAL {b64(BOB)}", 535).text
        # the password of another account is as good as any
        client.expect(f"AUTH PLAIN {plain(BOB)}", 235)
        client.envelope(BOB, ANN)
    with Smtps(instance) as client:
        client.expect("EHLO x", 250)
        assert "certificate" in client.expect("AUTH EXTERNAL =", 535).text


def test_the_certificate_alone_is_no_log_in(instance, people):
    with Smtps(instance, cert=people) as client:
        client.expect("EHLO x", 250)
        assert client.expect(f"MAIL FROM:<{ANN}@quintet.test>", 530).status == "5.7.0"


def test_refused_log_ins(instance, people):
    with Smtps(instance) as client:
        client.expect("EHLO x", 250)
        assert client.expect(f"AUTH PLAIN {plain('nobodyatall', 'x')}", 535).status == "5.7.8"
        client.expect(f"AUTH PLAIN {plain(BOB, authzid=ANN)}", 535)
        assert client.expect("AUTH CRAM-MD5", 504).status == "5.5.4"
        client.expect("AUTH", 501)
        client.expect("AUTH PLAIN", 334)
        assert client.expect("*", 501).status == "5.7.0"
        assert client.expect("AUTH PLAIN !!!", 501).status == "5.5.2"
        assert client.expect("AUTH PLAIN =", 421).status == "4.7.0"
        assert client.ended()


def test_no_log_in_hears_nothing_of_anybody(instance, people):
    with Smtps(instance) as client:
        client.expect(f"AUTH PLAIN {plain(ANN)}", 503)
        client.expect("EHLO x", 250)
        for command in (f"MAIL FROM:<{ANN}@quintet.test>", f"RCPT TO:<{ANN}@quintet.test>", "DATA",
                        f"VRFY {ANN}"):
            assert client.expect(command, 530).status == "5.7.0"
        assert client.expect("BDAT 10", 530).status == "5.7.0" and client.ended()


# -- the envelope ---------------------------------------------------------------------------------

def test_who_may_send(ann):
    for sender in (f"{BOB}@quintet.test", "root@quintet.test", f"{ANN}@example.org", f"{ANN}x@quintet.test"):
        assert ann.expect(f"MAIL FROM:<{sender}>", 550).status == "5.7.1"
    for sender in (f"{ANN}@quintet.test", f"{ANN.title()}@LOCALHOST", f"{ANN}+lists@quintet.test", ""):
        assert ann.expect(f"MAIL FROM:<{sender}>", 250).status == "2.1.0"
        ann.expect("RSET", 250)
    for command in ("MAIL", "MAIL FROM", f"MAIL FROM:{ANN}@quintet.test", f"MAIL TO:<{ANN}@quintet.test>",
                    "MAIL FROM:<a b@quintet.test>"):
        assert ann.expect(command, 501).status == "5.1.7"


def test_parameters_of_mail(ann):
    mail = f"MAIL FROM:<{ANN}@quintet.test>"
    for params in ("SIZE=100", "SIZE=26214400 BODY=8BITMIME", "body=7bit size=0", "SMTPUTF8", "AUTH=<>",
                   f"AUTH={ANN}@quintet.test SIZE=5"):
        ann.expect(f"{mail} {params}", 250)
        ann.expect("RSET", 250)
    for params, code, status in (
            ("SIZE=26214401", 552, "5.3.4"), ("SIZE=99999999999999999999", 501, "5.5.4"), ("SIZE=", 501, "5.5.4"),
            ("SIZE=-1", 501, "5.5.4"), ("BODY=BINARYMIME", 501, "5.5.4"), ("RET=FULL", 555, "5.5.4"),
            ("SMTPUTF8=yes", 501, "5.5.4"), ("AUTH=", 501, "5.5.4"), ("=", 501, "5.5.4")):
        got = ann.expect(f"{mail} {params}", code)
        assert got.status == status, (params, got)
    assert "26214400" in ann.expect(f"{mail} SIZE=26214401", 552).text


def test_who_may_receive(ann):
    ann.expect(f"RCPT TO:<{BOB}@quintet.test>", 503)
    ann.envelope(ANN)
    assert ann.expect("DATA", 503).status == "5.5.1"
    for address in (f"{BOB}@quintet.test", f"{BOB.upper()}@LocalHost", f"{BOB}+shop@quintet.test"):
        assert ann.expect(f"RCPT TO:<{address}>", 250).status == "2.1.5"
    assert ann.expect("RCPT TO:<nobodyatall@quintet.test>", 550).status == "5.1.1"
    got = ann.expect("RCPT TO:<someone@example.org>", 550)
    assert got.status == "5.7.1" and "relay" in got.text
    assert ann.expect("RCPT TO:<quintet@quintet.test>", 550).status == "5.1.1"  # the house's own account
    assert ann.expect("RCPT TO:<>", 501).status == "5.1.3"
    assert ann.expect(f"RCPT TO:<{BOB}@quintet.test> NOTIFY=NEVER", 555).status == "5.5.4"
    assert ann.expect(f"MAIL FROM:<{ANN}@quintet.test>", 503).status == "5.5.1"
    ann.expect("RSET", 250)
    ann.envelope(ANN)
    ann.expect("RCPT TO:<someone@example.org>", 550)
    assert ann.expect("DATA", 554).status == "5.5.1"
    assert ann.expect(f"VRFY {BOB}", 252).status == "2.1.5"


def test_the_postmaster_is_all_administrators(make_instance):
    own = make_instance()
    for name in (ANN, "chief", "deputy"):
        own.account(name, PASSWORD)
    for name in ("maild", "maild-submission"):
        own.start(name)
    with Smtps(own, ANN) as ann:
        ann.envelope(ANN)
        assert ann.expect("RCPT TO:<Postmaster>", 450).status == "4.2.1"
        ann.expect(f"RCPT TO:<{ANN}@quintet.test>", 250)  # and that others are named changes nothing
        ann.expect("RCPT TO:<Postmaster>", 450)
        ann.expect("RSET", 250)
        ann.envelope(ANN)
        for name in ("chief", "deputy"):
            own.ctl("user", "admin", name, "on")
        ann.expect("RCPT TO:<Postmaster>", 250)
        ann.expect("RCPT TO:<postmaster@quintet.test>", 250)
        ann.expect("DATA", 354)
        assert "to 2" in ann.expect(letter(ANN, "for the chiefs") + b".\r\n", 250).text
    for name in ("chief", "deputy"):
        assert len(with_subject(own, name, "for the chiefs")) == 1


def test_there_is_a_most_of_recipients(make_instance):
    own = make_instance()
    own.start("maild-submission")
    own.account(ANN, PASSWORD)
    names = [f"many{n}" for n in range(101)]
    for name in names:
        own.account(name, PASSWORD)
    with Smtps(own, ANN) as ann:
        ann.envelope(ANN, *names[:100])
        got = ann.expect(f"RCPT TO:<{names[100]}@quintet.test>", 452)
        assert got.status == "4.5.3" and "100" in got.text
        ann.expect(f"RCPT TO:<{names[0]}@quintet.test>", 250)
        ann.expect("DATA", 354)
        assert "to 100 " in ann.expect(letter(ANN, "to many") + b".\r\n", 250).text


# -- order and ends -------------------------------------------------------------------------------

def test_unknown_and_malformed_commands(ann):
    for command, code in (("XYZZY", 500), ("EXPN list", 502), ("STARTTLS", 503), ("DATA now", 501), ("RSET x", 501)):
        ann.expect(command, code)
    ann.expect("NOOP", 250)
    for line in (b"NOOP\n", b"NO\rOP\r\n", b"NO\0OP\r\n", b"\x01\r\n", b"\r\n", b"N" * 3000 + b"\r\n",
                 b"NOOP " + b"x" * 20000 + b"\r\n"):
        ann.send(line)
        assert ann.reply().code == 500, line[:20]
    ann.expect("NOOP", 250)


def test_ten_bad_commands_end_the_session(ann):
    for _ in range(9):
        ann.expect("XYZZY", 500)
    ann.send("XYZZY")
    assert ann.reply().code == 500 and ann.reply().code == 421 and ann.ended()


@pytest.mark.parametrize("line", ["GET / HTTP/1.1", "POST /x HTTP/1.0", "USER anonymous"])
def test_other_protocols_are_sent_away(instance, line):
    with Smtps(instance) as client:
        assert client.expect(line, 421).status == "4.7.0" and client.ended()


def test_an_endless_line_ends(instance):
    with Smtps(instance) as client:
        client.send(b"x" * 200000)
        codes = [client.reply().code]
        while codes[-1] == 500:
            codes.append(client.reply().code)
        assert codes[-1] == 421 and client.ended()


def test_pipelining(ann):
    ann.send(f"MAIL FROM:<{ANN}@quintet.test>\r\nRCPT TO:<{BOB}@quintet.test>\r\n"
             f"RCPT TO:<nobodyatall@quintet.test>\r\nDATA\r\n".encode())
    assert [ann.reply().code for _ in range(4)] == [250, 250, 550, 354]
    ann.send(letter(ANN, "piped") + b".\r\n" + f"MAIL FROM:<{ANN}@quintet.test>\r\nRSET\r\nNOOP\r\n".encode())
    assert [ann.reply().code for _ in range(4)] == [250, 250, 250, 250]
    assert len(with_subject(ann.instance, BOB, "piped")) == 1


def test_ehlo_and_rset_forget_the_message(ann):
    for word in ("RSET", "EHLO again"):
        ann.envelope(ANN, BOB)
        ann.expect(word, 250)
        ann.expect("DATA", 503)


def test_revocation_ends_a_session(make_instance):
    own = make_instance()
    own.start("maild-submission")
    own.account(ANN, PASSWORD)
    with Smtps(own, ANN) as ann:
        ann.envelope(ANN, ANN)
        own.ctl("user", "lock", ANN)
        assert ann.reply().code == 421 and ann.ended()
    with Smtps(own) as ann:
        ann.expect("EHLO x", 250)
        ann.expect(f"AUTH PLAIN {plain(ANN)}", 535)


def test_the_end_of_the_service_is_told(make_instance):
    own = make_instance()
    service = own.start("maild-submission")
    own.account(ANN, PASSWORD)
    with Smtps(own, ANN) as ann:
        (pid,) = service.sessions()
        os.kill(pid, 15)
        got = ann.reply()
        assert got.code == 421 and got.status == "4.3.2" and ann.ended()
    until(lambda: not service.sessions())


def test_a_session_is_logged_without_its_secrets(make_instance):
    own = make_instance()
    own.start("maild-submission")
    own.account(ANN, PASSWORD)
    with Smtps(own, ANN) as ann:
        ann.message(ANN, [ANN], letter(ANN, "logged", body="a secret body"))
        ann.expect("QUIT", 221)
    text = until(lambda: re.search(r"^.*quit.*$", own.log_text(), re.M) and own.log_text())
    assert "message taken" in text and ANN in text
    assert PASSWORD not in text and plain(ANN) not in text and "secret body" not in text


def test_tls_only(instance):
    with talk.raw(instance.ports["submissions"]) as clear:
        clear.sendall(b"EHLO x\r\n")
        assert b"250" not in clear.recv(1000)
