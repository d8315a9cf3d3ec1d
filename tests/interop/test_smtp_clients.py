"""Submission by programs that others wrote: smtplib, swaks, curl, msmtp."""

import email.message
import os
import smtplib
import ssl
import subprocess

import pytest

from smtps import PASSWORD, inbox, with_subject

ANN, BOB, CAT = "cliann", "clibob", "clicat"


@pytest.fixture(scope="module")
def people(instance):
    for name in (ANN, BOB, CAT):
        instance.account(name, PASSWORD)
    return instance.enroll(ANN, PASSWORD)


def run(*command, data=None, status=0):
    done = subprocess.run([*map(str, command)], input=data, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode == 0) == (status == 0), (command, done.stdout, done.stderr)
    return done.stdout + done.stderr


# -- smtplib --------------------------------------------------------------------------------------

def test_smtplib(instance, people):
    context = ssl.create_default_context(cafile=str(instance.root_pem))
    message = email.message.EmailMessage()
    message["From"], message["To"] = f"Ann <{ANN}@quintet.test>", f"{BOB}@quintet.test"
    message["Cc"], message["Bcc"] = f"{CAT}@quintet.test", f"{ANN}@quintet.test"
    message["Subject"] = "by smtplib"
    message.set_content("Grüße\n.\n..\n")
    message.add_attachment(os.urandom(100000), maintype="application", subtype="octet-stream", filename="x.bin")
    with smtplib.SMTP_SSL("localhost", instance.ports["submissions"], context=context, timeout=60) as smtp:
        smtp.login(ANN, PASSWORD)
        assert smtp.has_extn("chunking") and smtp.esmtp_features["size"] == "26214400"
        assert smtp.send_message(message) == {}
        refused = smtp.sendmail(f"{ANN}@quintet.test", [f"{BOB}@quintet.test", "x@example.org"],
                                "Subject: some refused\r\n\r\nx\r\n")
        assert refused["x@example.org"][0] == 550
        with pytest.raises(smtplib.SMTPDataError) as error:
            smtp.sendmail(f"{ANN}@quintet.test", [f"{BOB}@quintet.test"], f"From: {BOB}@quintet.test\r\n\r\nx\r\n")
        assert error.value.smtp_code == 550
        assert smtp.verify(BOB)[0] == 252
    for name in (ANN, BOB, CAT):
        (got,) = with_subject(instance, name, "by smtplib")
        assert b"\nBcc" not in got


@pytest.mark.parametrize("method", ["auth_plain", "auth_login"])
def test_smtplib_methods(instance, people, method):
    context = ssl.create_default_context(cafile=str(instance.root_pem))
    with smtplib.SMTP_SSL("localhost", instance.ports["submissions"], context=context, timeout=60) as smtp:
        smtp.ehlo("x")
        smtp.user, smtp.password = ANN, PASSWORD
        name = method.partition("_")[2].upper()
        assert smtp.auth(name, getattr(smtp, method))[0] == 235
    with smtplib.SMTP_SSL("localhost", instance.ports["submissions"], context=context, timeout=60) as smtp:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login(ANN, "wrong")


# -- swaks ----------------------------------------------------------------------------------------

def swaks(instance, *more, status=0):
    return run("swaks", "--tlsc", "--tls-ca-path", instance.root_pem, "--tls-verify", "--server",
               f"localhost:{instance.ports['submissions']}", "--from", f"{ANN}@quintet.test", *more, status=status)


@pytest.mark.parametrize("method", ["PLAIN", "LOGIN"])
def test_swaks(instance, people, method):
    said = swaks(instance, "--auth", method, "--auth-user", ANN, "--auth-password", PASSWORD, "--to",
                 f"{BOB}@quintet.test,{CAT}@quintet.test", "--header", f"Subject: by swaks {method}", "--pipeline",
                 "--attach-body", "hello", "--attach", f"@{instance.root_pem}")
    assert "250 2.0.0" in said
    assert len(with_subject(instance, BOB, f"by swaks {method}")) == 1
    assert len(with_subject(instance, CAT, f"by swaks {method}")) == 1


def test_swaks_is_refused(instance, people):
    assert "530 5.7.0" in swaks(instance, "--to", f"{BOB}@quintet.test", status=1)
    said = swaks(instance, "--auth", "PLAIN", "--auth-user", ANN, "--auth-password", PASSWORD, "--to",
                 "someone@example.org", status=1)
    assert "550 5.7.1" in said and "relay" in said


# -- curl -----------------------------------------------------------------------------------------

def curl(instance, *more, data, status=0):
    return run("curl", "-sS", "--cacert", instance.root_pem, "--mail-from", f"{ANN}@quintet.test", "--upload-file",
               "-", *more, f"smtps://localhost:{instance.ports['submissions']}/here", data=data, status=status)


@pytest.mark.parametrize("method", ["PLAIN", "LOGIN"])
def test_curl(instance, people, method):
    curl(instance, "--login-options", f"AUTH={method}", "-u", f"{ANN}:{PASSWORD}", "--mail-rcpt",
         f"{BOB}@quintet.test", "--mail-rcpt", f"{CAT}@quintet.test",
         data=f"From: {ANN}@quintet.test\r\nSubject: by curl {method}\r\n\r\n.dot\r\n..\r\n")
    (got,) = with_subject(instance, BOB, f"by curl {method}")
    assert got.endswith(b"\r\n\r\n.dot\r\n..\r\n") and len(with_subject(instance, CAT, f"by curl {method}")) == 1


def test_curl_with_the_certificate_alone(instance, people):
    key, cert = people
    curl(instance, "--key", key, "--cert", cert, "--login-options", "AUTH=EXTERNAL", "-u", f"{ANN}:",
         "--mail-rcpt", f"{BOB}@quintet.test", data="Subject: by curl EXTERNAL\r\n\r\nx\r\n")
    assert len(with_subject(instance, BOB, "by curl EXTERNAL")) == 1


def test_curl_is_told_why(instance, people):
    said = curl(instance, "-v", "-u", f"{ANN}:wrong", "--mail-rcpt", f"{BOB}@quintet.test", data="x", status=1)
    assert "535 5.7.8" in said
    said = curl(instance, "-v", "-u", f"{ANN}:{PASSWORD}", "--mail-rcpt", "nobodyatall@quintet.test", data="x",
                status=1)
    assert "550 5.1.1" in said


# -- msmtp ----------------------------------------------------------------------------------------

def msmtp(instance, tmp_path, *recipients, data, more="", status=0):
    conf = tmp_path / "msmtprc"
    conf.write_text(f"""account default
host localhost
port {instance.ports['submissions']}
tls on
tls_starttls off
tls_trust_file {instance.root_pem}
from {ANN}@quintet.test
logfile -
{more}
""")
    conf.chmod(0o600)
    return run("msmtp", "-C", conf, *recipients, data=data, status=status)


@pytest.mark.parametrize("method", ["plain", "login"])
def test_msmtp(instance, people, tmp_path, method):
    msmtp(instance, tmp_path, f"{BOB}@quintet.test", f"{CAT}@quintet.test",
          data=f"From: {ANN}@quintet.test\nSubject: by msmtp {method}\n\n.\nlines of LF\n",
          more=f'auth {method}\nuser {ANN}\npassword "{PASSWORD}"')
    for name in (BOB, CAT):
        (got,) = with_subject(instance, name, f"by msmtp {method}")
        assert got.endswith(b"\r\n\r\n.\r\nlines of LF\r\n")


def test_msmtp_with_the_certificate_alone(instance, people, tmp_path):
    key, cert = people
    msmtp(instance, tmp_path, f"{BOB}@quintet.test", data="Subject: by msmtp external\n\nx\n",
          more=f"auth external\nuser {ANN}\ntls_key_file {key}\ntls_cert_file {cert}")
    assert len(with_subject(instance, BOB, "by msmtp external")) == 1


def test_msmtp_is_refused(instance, people, tmp_path):
    before = len(inbox(instance, BOB))
    said = msmtp(instance, tmp_path, f"{BOB}@quintet.test", "x@example.org", data="Subject: x\n\nx\n",
                 more=f'auth plain\nuser {ANN}\npassword "{PASSWORD}"', status=1)
    assert "550" in said and len(inbox(instance, BOB)) == before
