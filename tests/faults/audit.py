"""Holds the journal of acknowledgements against the store."""

import json


def check_store(instance):
    """The store decodes whole, the audit chain holds."""
    done = instance.ctl("check", timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    instance.ctl("audit", "--verify", timeout=120)


def rows(instance, *command):
    return json.loads(instance.ctl(*command, "--json", timeout=120).stdout)


def check_journal(instance, journal):
    """Everything acknowledged is there. Returns counts for the closing line."""
    accounts = {row["name"] for row in rows(instance, "user", "list")}
    missing = journal.accounts - accounts
    assert not missing, f"acknowledged accounts lost: {sorted(missing)}"
    certs = {row["serial"].lower(): row for row in rows(instance, "cert", "list")}
    for serial, name in journal.serials.items():
        assert serial in certs, f"acknowledged certificate lost: {serial} of {name}"
        assert certs[serial]["account"] == name
        state = certs[serial]["state"]
        assert state in ("valid", "issued", "revoked"), (serial, state)
        if serial in journal.revoked:
            assert state == "revoked", f"acknowledged revocation lost: {serial}"
    return len(journal.accounts), len(journal.serials), len(journal.revoked)
