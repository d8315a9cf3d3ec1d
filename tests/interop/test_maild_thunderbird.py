"""Thunderbird, headless, with a profile made here: it logs in by the certificate that cad gave, keeps its
connection in IDLE, and has new mail in its folder without being asked."""

import os
import subprocess

import pytest
from imaps import PASSWORD, Imap, message
from instance import until
from mailers import smtp_send

PREFS = {
    "mail.accountmanager.accounts": "account1",
    "mail.accountmanager.defaultaccount": "account1",
    "mail.account.account1.server": "server1",
    "mail.account.account1.identities": "id1",
    "mail.identity.id1.useremail": "{name}@quintet.test",
    "mail.identity.id1.fullName": "{name}",
    "mail.server.server1.type": "imap",
    "mail.server.server1.hostname": "localhost",
    "mail.server.server1.port": "={port}",
    "mail.server.server1.userName": "{name}",
    "mail.server.server1.socketType": 3,  # TLS from the first byte
    "mail.server.server1.authMethod": 7,  # the certificate
    "mail.server.server1.login_at_startup": True,
    "mail.server.server1.check_new_mail": True,
    "mail.server.server1.offline_download": True,
    "mail.server.server1.autosync_offline_stores": True,
    "mail.server.server1.use_idle": True,
    "security.default_personal_cert": "Select Automatically",
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionPolicyBypassNotification": True,
    "mail.shell.checkDefaultClient": False,
    "mail.provider.enabled": False,
    "mail.rights.version": 1,
    "mailnews.start_page.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}


def pref(name, value, words):
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str) and not value.startswith("="):
        text = f'"{value.format(**words)}"'
    else:
        text = str(value).lstrip("=").format(**words)
    return f'user_pref("{name}", {text});\n'


def run(*args):
    subprocess.run([str(a) for a in args], check=True, capture_output=True, timeout=60)


@pytest.fixture
def profile(instance, tmp_path):
    """A profile folder that trusts our root and holds thunder's certificate."""
    instance.account("thunder", PASSWORD)
    key, cert = instance.enroll("thunder", PASSWORD)
    folder = tmp_path / "profile"
    folder.mkdir()
    words = {"name": "thunder", "port": instance.ports["imaps"]}
    (folder / "user.js").write_text("".join(pref(k, v, words) for k, v in PREFS.items()))
    run("certutil", "-N", "-d", f"sql:{folder}", "--empty-password")
    run("certutil", "-A", "-d", f"sql:{folder}", "-n", "root", "-t", "CT,C,C", "-i", instance.root_pem)
    run("certutil", "-A", "-d", f"sql:{folder}", "-n", "issuing", "-t", ",,", "-i", instance.chain_pem)
    run("openssl", "pkcs12", "-export", "-inkey", key, "-in", cert, "-name", "thunder", "-passout", "pass:x",
        "-out", tmp_path / "thunder.p12")
    run("pk12util", "-i", tmp_path / "thunder.p12", "-d", f"sql:{folder}", "-W", "x", "-K", "")
    return folder


@pytest.mark.release_only
def test_new_mail_comes_by_itself(instance, profile):
    with Imap(instance, "thunder") as imap:
        imap.append(message("before it began", "before"), "INBOX")
    env = {"HOME": str(profile.parent), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
           "MOZ_HEADLESS": "1", "MOZ_CRASHREPORTER_DISABLE": "1"}
    inbox = profile / "ImapMail/localhost/INBOX"
    with open(profile.parent / "log", "wb") as log:
        process = subprocess.Popen(["thunderbird", "--headless", "--no-remote", "--profile", str(profile)],
                                   env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   start_new_session=True)
    try:
        until(lambda: inbox.exists() and "before it began" in inbox.read_text(errors="replace"), 120,
              "Thunderbird's copy of what was there")
        smtp_send(instance, "thunder", "thunder", "while it idles")
        until(lambda: "while it idles" in inbox.read_text(errors="replace"), 60, "the new message")
    finally:
        process.terminate()
        process.wait(30)
