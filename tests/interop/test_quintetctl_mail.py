"""quintetctl and mail: settings, what the lists and health tell, what a removal and a restore do."""

import json
import re

import pytest

from imaps import PASSWORD, Imap, message

SETTINGS = {
    "mail_boxes": ("1000", "10", "9"), "mail_changes_keep": ("90d", "1h", "1m"),
    "mail_expunged": ("1d", "1m", "1s"), "mail_notices_keep": ("90d", "1m", "never"),
    "mail_quota": ("1G", "0", "lots"), "mail_receipts_keep": ("365d", "1m", "0"),
    "mail_size": ("26214400", "50M", "51M"),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings(host, setting):
    standard, other, bad = SETTINGS[setting]
    rows = {r["setting"]: r for r in host.json("get")}
    assert rows[setting]["value"] == rows[setting]["default"] == standard and rows[setting]["meaning"]
    host.ctl("set", setting, bad, status=1)
    host.ctl("set", setting, other)
    assert host.ctl("get", setting) == other + "\n"
    host.ctl("set", setting, "--default")
    assert host.ctl("get", setting) == standard + "\n"


def test_no_setting_of_mail_is_left_out(host):
    assert {r["setting"] for r in host.json("get") if r["setting"].startswith("mail_")} == set(SETTINGS)


def test_nobody_has_mail_yet(host):
    host.add_user("ada")
    assert host.json("mail") == [] == host.json("mail", "ada")
    host.ctl("mail", "zoe", status=1)
    assert "no account zoe" in host.complaint
    host.ctl("mail", "ada", "zoe", status=100)
    rows = {r["what"]: r for r in host.json("health", status=1)}  # there is no signer
    assert rows["mail"]["state"] == "ok" and rows["mail"]["detail"].startswith("0 messages in 0 mailboxes")


# -- with maild ----------------------------------------------------------------------------------------

@pytest.fixture(name="house")
def fixture_house(make_instance):
    """An instance with maild and two accounts; ada has a mailbox of her own, and a message in it."""
    house = make_instance()
    for name in ("ada", "bob"):
        house.account(name, PASSWORD)
    house.start("maild")
    with Imap(house, "ada") as client:
        client.ok("CREATE Work/2026")
        client.append(message(), "Work/2026")
    return house


def shown(house, *words):
    return json.loads(house.ctl("--json", *words).stdout)


def test_lists(house):
    with Imap(house, "ada") as client:
        client.append(message("secret plans", "two"), "INBOX", "(\\Seen)")
    (row,) = shown(house, "mail")
    size = len(message()) + len(message("secret plans", "two"))
    assert row == {"account": "ada", "mailboxes": 8, "messages": 2, "bytes": size, "quota": 1 << 30,
                   "new_notices": 0}
    boxes = {r["mailbox"]: r for r in shown(house, "mail", "ada")}
    assert list(boxes)[0] == "INBOX" and boxes["Sent"]["use"] == "sent" and len(boxes) == 8
    assert (boxes["INBOX"]["messages"], boxes["INBOX"]["unseen"]) == (1, 0)
    assert (boxes["Work/2026"]["messages"], boxes["Work/2026"]["unseen"], boxes["Work/2026"]["uidnext"]) == (1, 1, 2)
    assert "secret" not in house.ctl("mail", "ada").stdout
    house.ctl("check")


def test_a_removed_account_takes_its_mail_along(house):
    said = house.ctl("user", "remove", "ada").stdout
    assert "messages: 1, mailboxes: 8." in said and shown(house, "mail") == []
    house.ctl("check")
    assert shown(house, "sweep")["rows_removed"] > 1
    house.ctl("check")
    house.account("ada", PASSWORD)
    with Imap(house, "ada") as client:
        assert not any(b"Work" in line for line in client.ok('LIST "" "*"'))


def test_a_restored_mailbox_is_another(house):
    before = {r["mailbox"]: r for r in shown(house, "mail", "ada")}
    house.ctl("backup", "copy")
    with Imap(house, "ada") as client:  # a UID that the backup does not know
        client.append(message("later", "later"), "Work/2026")
    for service in list(house.services):
        service.stop()
    house.stop_keeper()
    house.path("state").rename(house.path("lost"))
    house.path("state").mkdir()
    house.give(house.path("state"))
    house.ctl("restore", "copy")
    house.ctl("check")
    after = {r["mailbox"]: r for r in shown(house, "mail", "ada")}
    assert list(after) == list(before)
    assert not {r["uidvalidity"] for r in before.values()} & {r["uidvalidity"] for r in after.values()}
    assert len({r["uidvalidity"] for r in after.values()}) == len(after)
    house.start("maild")
    with Imap(house, "ada") as client:
        (said,) = client.ok("STATUS Work/2026 (MESSAGES UIDVALIDITY UIDNEXT)")
        assert dict(re.findall(r"([A-Z]+) (\d+)", said.decode())) == {
            "MESSAGES": "1", "UIDNEXT": "2", "UIDVALIDITY": str(after["Work/2026"]["uidvalidity"])}
