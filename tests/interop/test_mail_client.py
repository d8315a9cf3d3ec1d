"""quintet mail for scripts: letters, answers, receipts, notices, files, keys, and the outbox."""

import os
import re
import signal
import time

import pytest

from device import NO, OK, TEMPORARY, USAGE, Device
from imaps import Imap, message
from instance import TOP, until
from mailhouse import MailHouse


@pytest.fixture(scope="module")
def house():
    own = MailHouse("ann", "bob", "cid")
    own.instance.account("dan", "secret of dan")  # without a certificate
    yield own
    own.close()


def states(house, name, subject):
    """Recipient to state, of one's letters with that subject."""
    return {row["to"]: row["state"] for row in house.json(name, "receipts") if row["subject"] == subject}


def test_a_letter_and_its_answer(house):
    assert house.send("ann", "bob", subject="Grüße aus Köln", text="Wie geht's?\n日本\n") == "sent, encrypted\n"
    row = house.find("bob", "Grüße aus Köln")
    assert row["from"] == "ann@quintet.test" and row["flags"] == "NE"
    letter = house.read("bob", "Grüße aus Köln")
    assert letter["text"] == "Wie geht's?\n日本\n"
    assert letter["encrypted"] and letter["signed"] and letter["signature_good"]
    assert letter["signer"] == "ann@quintet.test"
    assert "N" not in house.find("bob", "Grüße aus Köln")["flags"]
    house.mail("bob", "reply", row["uid"], input="Gut, danke.")
    answer = house.read("ann", "Re: Grüße aus Köln")
    assert answer["text"].startswith("Gut, danke.\n\n") and "> Wie geht's?" in answer["text"]
    assert "R" in house.find("bob", "Grüße aus Köln")["flags"]
    shown = house.mail("ann", "read", house.uid("ann", "Re: Grüße aus Köln"))
    assert shown.startswith("Security: encrypted, signed by bob@quintet.test\nFrom:     bob@quintet.test\n")
    # What was sent is in Sent, readable to the writer.
    assert house.read("ann", "Grüße aus Köln", mailbox="Sent")["text"] == "Wie geht's?\n日本\n"


def test_to_many_and_to_all(house):
    house.mail("ann", "send", "-s", "to many", "--cc", "cid", "--bcc", "dan", "bob@quintet.test", input="all of you")
    got = house.read("cid", "to many")
    assert (got["to"], got["cc"]) == ("bob@quintet.test", "cid@quintet.test")
    house.mail("bob", "reply", "--all", house.uid("bob", "to many"), input="to all")
    assert house.read("cid", "Re: to many")["from"] == "bob@quintet.test"
    assert house.find("ann", "Re: to many")
    with Imap(house.instance, "dan", password="secret of dan") as dan:
        dan.ok("SELECT INBOX")
        (text,) = [a for a in dan.ok("FETCH 1 BODY.PEEK[]") if b"FETCH" in a]
    # One without a certificate: signed for all of them, encrypted for none; no word of the hidden copy.
    assert b"multipart/signed" in text and b"all of you" in text and b"dan@" not in text.replace(b"by dan", b"")


def test_forward(house):
    house["ann"].file("plan.txt", "the plan\n")
    house.send("ann", "bob", subject="plan", more=("-a", "plan.txt"))
    house.mail("bob", "forward", house.uid("bob", "plan"), "cid", input="look at this")
    letter = house.read("cid", "Fwd: plan")
    assert letter["text"].startswith("look at this\n") and letter["attachments"][0]["name"] == "plan.txt"
    house.mail("cid", "attach", house.uid("cid", "Fwd: plan"))
    assert (house["cid"].folder / "plan.txt").read_text() == "the plan\n"


def test_files_byte_for_byte(house):
    every = bytes(range(256)) * 400 + b"\r\n.\r\n--x\nFrom \n"
    house["ann"].file("every.bin", every)
    house["ann"].file("Überblick 日本.pdf", b"%PDF-\x00\xff")
    house.send("ann", "bob", subject="files", more=("-a", "every.bin", "-a", "Überblick 日本.pdf"))
    uid = house.uid("bob", "files")
    letter = house.read("bob", "files")
    assert [(a["name"], a["type"], a["size_bytes"]) for a in letter["attachments"]] == \
        [("every.bin", "application/octet-stream", len(every)), ("Überblick 日本.pdf", "application/pdf", 7)]
    (house["bob"].folder / "got").mkdir()
    assert house.mail("bob", "attach", "-o", "got", uid, "1") == "saved every.bin\n"
    house.mail("bob", "attach", "-o", "got", uid)
    got = {p.name: p.read_bytes() for p in (house["bob"].folder / "got").iterdir()}
    assert got == {"every.bin": every, "every.bin-2": every, "Überblick 日本.pdf": b"%PDF-\x00\xff"}
    assert "no attachment 3" in house["bob"].err("mail", "attach", uid, "3", status=NO)


def test_search_and_lists(house):
    for i in range(3):
        house.send("ann", "cid", subject=f"heap {i}", text=f"needle{i} in HAY\n")
    house.send("ann", "cid", subject="plain heap", text="the STRASSE is long\n", more=("--plain",))
    # In what the server can read, and in what only the reader can.
    assert [row["subject"] for row in house.json("cid", "search", "strasse")] == ["plain heap"]
    assert [row["subject"] for row in house.json("cid", "search", "NEEDLE1")] == ["heap 1"]
    assert [row["subject"] for row in house.json("cid", "search", "heap", "hay")] == ["heap 0", "heap 1", "heap 2"]
    assert house.json("cid", "search", "no such words", status=NO) == []
    rows = house.json("cid", "list", "-n", "2")
    assert [row["subject"] for row in rows] == ["heap 2", "plain heap"]
    uids = [row["uid"] for row in rows]
    assert house.mail("cid", "mark", "--read", "--flag", *map(str, uids)) == "2 messages marked\n"
    assert not set(uids) & {row["uid"] for row in house.json("cid", "list", "--unread")}
    assert house.find("cid", "plain heap")["flags"] == "F"
    house.mail("cid", "mark", "--unread", "--unflag", f"{uids[0]}:{uids[1]}")
    assert house.find("cid", "plain heap")["flags"] == "N"
    before = len(house.json("cid", "list", "--unread"))
    assert len(house.json("cid", "read", "--unread", "--peek")) == before
    assert len(house.json("cid", "list", "--unread")) == before
    house.json("cid", "read", "--unread")
    assert house.mail("cid", "read", "--unread") == "nothing is unread in INBOX\n"
    assert "0 unread messages" in house.mail("cid")


def test_move_and_delete(house):
    house.send("ann", "cid", subject="to be moved")
    assert house.mail("cid", "move", house.uid("cid", "to be moved"), "Letters/Old ones") == \
        "1 message moved to Letters/Old ones\n"
    uid = house.uid("cid", "to be moved", "Letters/Old ones")
    folders = {row["mailbox"]: row for row in house.json("cid", "folders")}
    assert folders["Letters/Old ones"]["messages"] == 1 and folders["Sent"]["for"] == "Sent"
    assert house.mail("cid", "delete", "-m", "Letters/Old ones", uid) == "1 message moved to Trash\n"
    assert house.mail("cid", "delete", "-m", "Trash", house.uid("cid", "to be moved", "Trash")) == \
        "1 message deleted\n"
    assert not [row for row in house.json("cid", "list", "-m", "Trash") if row["subject"] == "to be moved"]
    assert "no message 999999" in house["cid"].err("mail", "read", "999999", status=NO)


def test_receipts_are_delivered_then_read(house):
    house.mail("ann", "send", "-s", "receipt", "--receipt", "--cc", "cid", "bob", input="tell me")
    assert states(house, "ann", "receipt") == {"bob": "delivered", "cid": "delivered"}
    house.json("bob", "read", "--yes", house.uid("bob", "receipt"))
    assert states(house, "ann", "receipt") == {"bob": "read", "cid": "delivered"}
    house.json("cid", "read", "--no", house.uid("cid", "receipt"))
    assert states(house, "ann", "receipt")["cid"] == "delivered"
    # Answered once, whichever way: not asked again, not sent again.
    before = len(house.json("ann", "list", "-n", "1000"))
    house.json("bob", "read", "--yes", house.uid("bob", "receipt"))
    house.json("cid", "read", "--yes", house.uid("cid", "receipt"))
    assert len(house.json("ann", "list", "-n", "1000")) == before
    assert states(house, "ann", "receipt")["cid"] == "delivered"
    row = house.find("ann", "receipt", "Sent")
    bob, cid = sorted(row["receipts"].split(", "))
    assert bob.startswith("bob read ") and cid.startswith("cid delivered ")
    (one,) = [r for r in house.json("ann", "receipts", house.uid("ann", "receipt", "Sent")) if r["to"] == "bob"]
    assert one["delivered"] <= one["read"]


def test_receipts_by_setting(house):
    assert house.mail("bob", "set", "receipts", "always").startswith("receipts:  always\n")
    house.send("ann", "bob", subject="always", more=("--receipt",))
    house.read("bob", "always")
    until(lambda: states(house, "ann", "always") == {"bob": "read (told by itself)"}, what="the receipt")
    house.mail("bob", "set", "receipts", "never")
    house.send("ann", "bob", subject="never", more=("--receipt",))
    assert house.read("bob", "never")["asks_receipt"]  # scripts see it and answer by --yes
    assert states(house, "ann", "never") == {"bob": "delivered"}
    house.mail("bob", "set", "receipts", "ask")
    assert house["bob"].err("mail", "set", "receipts", "perhaps", status=USAGE)
    assert house["bob"].err("mail", "set", "colour", "red", status=USAGE)


def test_asked_at_a_terminal_once(house):
    house.send("ann", "bob", subject="asked", more=("--receipt",))
    uid = house.uid("bob", "asked")
    terminal = house["bob"].terminal("mail", "read", uid)
    try:
        terminal.expect("ann@quintet.test asks for a receipt. Send it? [y/N/later] ")
        terminal.send("y\n")
        assert terminal.status() == OK
    finally:
        terminal.close()
    assert states(house, "ann", "asked") == {"bob": "read"}
    terminal = house["bob"].terminal("mail", "read", uid)
    try:
        assert terminal.status() == OK
        assert "asks for" not in terminal.text
    finally:
        terminal.close()


def test_notices_are_shown_once(house):
    house.mail("cid", "notices")
    house.mail("ann", "notices")
    house.send("ann", "cid", subject="noticed", more=("--receipt",))
    assert "1 new notice" in house.mail("cid", "check")
    (notice,) = house.json("cid", "notices")
    assert (notice["what"], notice["who"], notice["subject"], notice["new"]) == \
        ("new mail", "ann@quintet.test", "noticed", "new")
    assert house.mail("cid", "notices") == "nothing new\n"
    assert [n["subject"] for n in house.json("cid", "notices", "--all")].count("noticed") == 1
    house.json("cid", "read", "--yes", house.uid("cid", "noticed"))
    told = house.json("ann", "notices")
    assert ("was read", "cid@quintet.test", "noticed") in [(n["what"], n["who"], n["subject"]) for n in told]
    assert house.mail("ann", "notices") == "nothing new\n"


def test_people(house):
    with Imap(house.instance, "dan", password="secret of dan") as dan:
        dan.ok("SELECT INBOX")
        dan.idle()
        people = {row["name"]: row["state"] for row in house.json("ann", "people")}
        assert people["dan"] == "online"
    until(lambda: {r["name"]: r["state"] for r in house.json("ann", "people")}["dan"] == "offline", what="dan's end")
    house.mail("bob", "set", "presence", "hidden")
    assert {r["name"]: r["state"] for r in house.json("ann", "people")}["bob"] == "does not tell"
    house.mail("bob", "set", "presence", "shown")


# -- security -------------------------------------------------------------------------------------


def test_encrypted_by_default_when_all_can_read(house):
    assert house.send("ann", "bob", subject="secret") == "sent, encrypted\n"
    raw = house.mail("bob", "export", "--raw", house.uid("bob", "secret"))
    assert "secret" not in raw and "Subject: ...\n" in raw and "smime-type=enveloped-data" in raw
    assert house.send("ann", "dan", subject="open") == \
        "sent, signed, not encrypted: dan@quintet.test has no certificate\n"
    assert "dan@quintet.test has no certificate; nothing was sent" in \
        house["ann"].err("mail", "send", "-e", "-s", "x", "dan", "bob", status=NO)
    assert house.send("ann", "bob", subject="signed", more=("--sign",)) == "sent, signed\n"
    letter = house.read("bob", "signed")
    assert (letter["encrypted"], letter["signature_good"]) == (False, True)
    assert house.send("ann", "bob", subject="bare", more=("--plain",)) == "sent\n"
    letter = house.read("bob", "bare")
    assert (letter["encrypted"], letter["signed"]) == (False, False)
    assert "Security" not in house.mail("bob", "read", house.uid("bob", "bare"))


def altered(house, name, subject, change):
    """The message once more, changed, in that account's mailbox; its UID."""
    device = house[name]
    raw = device.run("mail", "export", "--raw", "-o", "raw.eml", house.uid(name, subject)) and \
        (device.folder / "raw.eml").read_bytes()
    changed = change(raw)
    assert changed != raw
    with Imap(house.instance, name, password=f"secret of {name}") as imap:
        said = imap.append(changed)
    return int(re.search(rb"APPENDUID \d+ (\d+)", said)[1])


def test_a_bad_signature_is_loud(house):
    house.send("ann", "bob", subject="pay", text="Pay 100 to ann.\n", more=("--sign",))
    uid = altered(house, "bob", "pay", lambda raw: raw.replace(b"Pay 100", b"Pay 900"))
    shown = house.mail("bob", "read", uid)
    assert shown.startswith("*** SIGNATURE NOT GOOD: ") and "Pay 900" in shown
    (letter,) = house.json("bob", "read", uid)
    assert letter["signed"] and not letter["signature_good"] and letter["reason"]


def test_another_sender_is_loud(house):
    house.send("ann", "bob", subject="from", text="I say so.\n", more=("--sign",))
    uid = altered(house, "bob", "from", lambda raw: raw.replace(b"From: ann@", b"From: cid@"))
    assert house.mail("bob", "read", uid).startswith("*** SIGNATURE NOT GOOD: ")


def test_what_cannot_be_opened_is_loud(house):
    house.send("ann", "bob", subject="lost key")
    device = house["bob"]
    raw = device.out("mail", "export", "--raw", house.uid("bob", "lost key"))
    with Imap(house.instance, "cid", password="secret of cid") as imap:
        said = imap.append(raw.replace("\r\n", "\n").replace("\n", "\r\n").encode())
    uid = int(re.search(rb"APPENDUID \d+ (\d+)", said)[1])
    assert house.mail("cid", "read", uid).startswith("*** encrypted - CANNOT BE OPENED: no key of this profile")


def test_a_revoked_signer_is_loud(house):
    house.join("eve")
    house.send("eve", "bob", subject="revoked later", more=("--sign",))
    serial = house["eve"].json("ca", "list")[0]["serial"]
    house["eve"].run("ca", "revoke", serial, "keyCompromise")
    shown = house.mail("bob", "read", house.uid("bob", "revoked later"))
    assert shown.startswith("*** SIGNATURE NOT GOOD: ")


def test_names_cannot_steer_the_terminal(house):
    evil = "\x1b]0;owned\x07\x1b[2J"
    with Imap(house.instance, "bob", password="secret of bob") as imap:
        text = message("evil", "evil").replace(b"Subject: evil", b"Subject: ev" + evil.encode() + b"il")
        text = text.replace(b"Hello, Bob.", b"Hello, " + evil.encode() + b"Bob.")
        said = imap.append(text.replace(b"From: Ann", b"From: =?utf-8?q?=1B[31mAnn=C2=9B?="))
    uid = int(re.search(rb"APPENDUID \d+ (\d+)", said)[1])
    for words in (("list",), ("read", uid), ("search", "Hello")):
        assert "\x1b" not in house.mail("bob", *words) and "\x9b" not in house.mail("bob", *words)


# -- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("old", [(), ("--old",)])
def test_a_key_goes_to_another_device(house, old):
    subject = f"for one key {len(old)}"
    house.send("ann", "bob", subject=subject, text="for the first device\n")
    uid = house.uid("bob", subject)
    second = house.device("bob")
    try:
        assert "CANNOT BE OPENED" in second.out("mail", "read", "--peek", uid)
        pw = house["bob"].file("pw", "correct horse\n")
        name = f"bob{len(old)}.p12"
        house.mail("bob", "key", "export", *old, "--password-file", pw, name)
        path = house["bob"].folder / name
        assert path.stat().st_mode & 0o777 == 0o600
        assert "exists" in house["bob"].err("mail", "key", "export", "--password-file", pw, name, status=USAGE)
        wrong = second.file("wrong", "battery staple\n")
        assert "not its password" in second.err("mail", "key", "import", "--password-file", wrong, path, status=NO)
        second.run("mail", "key", "import", "--password-file", pw, path)
        assert "for the first device" in second.out("mail", "read", "--peek", uid)
        # What is sent from now on opens on both.
        house.send("ann", "bob", subject=f"both {len(old)}")
        uid = house.uid("bob", f"both {len(old)}")
        assert "*** " not in house.mail("bob", "read", uid) + second.out("mail", "read", uid)
    finally:
        second.close()


def test_password_of_a_key_is_asked_twice(house):
    terminal = house["bob"].terminal("mail", "key", "export", "asked.p12")
    try:
        terminal.answer("New password: ", "one two three")
        terminal.answer("Again: ", "one two three")
        assert terminal.status() == OK
    finally:
        terminal.close()
    assert (house["bob"].folder / "asked.p12").exists()


def test_a_renewed_key_reads_old_mail(house):
    house.send("ann", "cid", subject="before renewal")
    house["cid"].run("renew", "--new-key")
    assert house.read("cid", "before renewal")["text"] == "Hello.\n"
    house.send("ann", "cid", subject="after renewal")
    assert house.read("cid", "after renewal")["signature_good"]


def test_certificates_of_others(house):
    rows = house.json("ann", "key", "show", "bob")
    assert {row["address"] for row in rows} == {"bob@quintet.test"}
    assert "dan has no certificate" in house["ann"].err("mail", "key", "show", "dan", status=NO)


def test_nothing_is_encrypted_to_a_revoked_certificate(house):
    house.join("fay")
    (lost,) = house.json("ann", "key", "show", "fay")
    second = house.device("fay")
    (kept,) = [row for row in house.json("ann", "key", "show", "fay") if row != lost]
    house.instance.ctl("cert", "revoke", lost["serial"])
    assert house.json("ann", "key", "show", "fay") == [kept]
    assert house.send("ann", "fay", subject="to one device") == "sent, encrypted\n"
    house.instance.ctl("cert", "revoke", kept["serial"])
    refused = house["ann"].err("mail", "send", "--encrypt", "fay", input="x", status=NO)
    assert "fay@quintet.test has no certificate; nothing was sent" in refused
    second.enroll(house.instance, "fay", "secret of fay")
    (letter,) = second.json("mail", "read", "1")
    assert letter["text"] == "Hello.\n"  # by the key of the certificate that was good then
    second.close()


# -- the outbox -----------------------------------------------------------------------------------


def test_what_was_written_is_not_thrown_away(house):
    """A letter out of the editor that cannot even be put into the outbox is kept as a file."""
    device = house["ann"]
    editor = device.file("appends", "#!/bin/sh\necho 'My long letter.' >>\"$1\"\n")
    editor.chmod(0o700)
    said = device.err("mail", "send", "--edit", "-s", "kept", "no address", status=USAGE,
                      env={**device.env, "EDITOR": str(editor)})
    kept = re.search(r"is no address\nquintet: the letter is kept in (/tmp/quintet-mail-\w+)\n", said)[1]
    with open(kept, encoding="utf-8") as file:
        assert file.read() == "To: no address\nCc: \nSubject: kept\n\nMy long letter.\n"
    os.unlink(kept)
    said = device.err("mail", "send", "-s", "kept", "no address", status=USAGE, input="from a pipe")
    assert "kept in" not in said


def test_an_editor_that_ends_badly(house):
    """Nothing is sent; what it had saved is kept, and only that."""
    device = house["ann"]

    def edited(command):
        return device.err("mail", "send", "--edit", "-s", "crashed", "bob", status=NO,
                          env={**device.env, "EDITOR": command})

    said = edited("""sh -c 'echo "My long letter." >>"$0"; exit 3'""")
    kept = re.search(r"nothing is sent; what was saved is kept in (/tmp/quintet-mail-\w+)\n", said)[1]
    with open(kept, encoding="utf-8") as file:
        assert file.read().endswith("Subject: crashed\n\nMy long letter.\n")
    os.unlink(kept)
    assert edited("false").endswith("nothing is sent\n")


def test_refused_letters_are_kept(house):
    assert "refused: nobody@quintet.test" in house["ann"].err("mail", "send", "nobody", status=NO)
    (row,) = house.json("ann", "outbox")
    assert row["state"] == "refused" and "nobody" in row["why"]
    house.mail("ann", "outbox", "--remove", row["name"])
    assert house.mail("ann", "outbox") == "nothing waits to be sent\n"
    assert "no letter" in house["ann"].err("mail", "outbox", "--remove", row["name"], status=NO)


def test_letters_wait_for_the_server(house):
    house.services["maild-submission"].stop()
    try:
        for i in range(2):
            assert "it waits in the outbox" in \
                house.send("ann", "bob", subject=f"waiting {i}", more=("--plain",))
        rows = house.json("ann", "outbox", status=TEMPORARY)
        assert [row["state"] for row in rows] == ["waiting", "waiting"]
    finally:
        house.services["maild-submission"] = house.instance.start("maild-submission")
    house.send("ann", "bob", subject="the third", more=("--plain",))
    assert house.mail("ann", "outbox") == "nothing waits to be sent\n"
    got = [row["subject"] for row in house.json("bob", "list") if row["subject"].startswith(("wait", "the th"))]
    assert got == ["waiting 0", "waiting 1", "the third"]
    assert house.find("ann", "waiting 0", "Sent") and house.find("ann", "waiting 1", "Sent")


def test_letters_wait_for_their_own_account(house):
    """What waits of an account that used the profile by its password does not go as the profile's."""
    pw = house["ann"].file("dan.pw", "secret of dan\n")
    as_dan = ("--user", "dan", "--password-file", pw)
    house.services["maild-submission"].stop()
    try:
        assert "it waits in the outbox" in \
            house.mail("ann", "send", *as_dan, "-s", "dan waits", "bob", input="x")
    finally:
        house.services["maild-submission"] = house.instance.start("maild-submission")
    assert house.mail("ann", "send", "--plain", "-s", "ann does not", "bob", input="x") == "sent\n"
    assert [row["state"] for row in house.json("ann", "outbox")] == ["waiting"]
    house.mail("ann", "outbox", *as_dan)
    assert house.mail("ann", "outbox") == "nothing waits to be sent\n"
    assert house.read("bob", "dan waits")["from"] == "dan@quintet.test"


def test_letters_wait_to_be_encrypted(house):
    """Off line nobody's certificates are to be had: what was written waits, and is sealed when it goes."""
    names = ("cad", "maild", "maild-submission")
    for name in names:
        house.services[name].stop()
    try:
        assert "it waits in the outbox" in house.send("ann", "bob", subject="written on a train")
        assert "it waits in the outbox" in \
            house.send("ann", "dan", subject="only encrypted", more=("--encrypt", "--bcc", "bob"))
        rows = house.json("ann", "outbox", status=TEMPORARY)
        assert [(row["state"], row["to"]) for row in rows] == \
            [("waiting", "bob@quintet.test"), ("waiting", "dan@quintet.test"), ("waiting", "bob@quintet.test")]
    finally:
        for name in names:
            house.services[name] = house.instance.start(name)
    rows = house.json("ann", "outbox", status=NO)
    assert [row["state"] for row in rows] == ["refused"]
    assert rows[0]["why"] == "it cannot be encrypted: dan@quintet.test has no certificate"
    for mailbox, name in (("INBOX", "bob"), ("Sent", "ann")):
        letter = house.read(name, "written on a train", mailbox=mailbox)
        assert letter["encrypted"] and letter["signature_good"] and letter["text"] == "Hello.\n"
    assert house.read("bob", "only encrypted")["encrypted"]
    house.mail("ann", "outbox", "--remove", rows[0]["name"])


def test_killed_while_sending_and_sent_once(house):
    """Ended by kill -9 at many points: every letter arrives, none twice."""
    device = house["ann"]
    big = device.file("big.bin", os.urandom(300_000))
    for i in range(12):
        process = device.start("mail", "send", "-s", f"killed {i}", "--plain", "-a", big, "-f", "/dev/null", "bob")
        time.sleep(0.004 * (i + 1))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    device.run("mail", "outbox")
    assert device.out("mail", "outbox") == "nothing waits to be sent\n"

    def subjects(name, mailbox):
        return [row["subject"] for row in house.json(name, "list", "-m", mailbox, "-n", "1000")
                if row["subject"].startswith("killed ")]
    got = subjects("bob", "INBOX")
    # Those that were killed before they were on disk are nowhere; the others are in both places once.
    assert len(got) == len(set(got)) and sorted(got) == sorted(subjects("ann", "Sent"))


# -- others ---------------------------------------------------------------------------------------


def test_by_password(house):
    pw = house["ann"].file("dan.pw", "secret of dan\n")
    rows = house["ann"].json("mail", "list", "--user", "dan", "--password-file", pw)
    assert "to many" in [row["subject"] for row in rows]
    # The profile's key is ann's: it signs nothing of dan's.
    as_dan = ("--user", "dan", "--password-file", pw, "-s", "by dan", "bob")
    assert house.mail("ann", "send", *as_dan, input="x") == "sent\n"
    letter = house.read("bob", "by dan")
    assert letter["from"] == "dan@quintet.test" and not letter["signed"] and not letter["encrypted"]
    assert "the key of this profile is ann's" in house["ann"].err("mail", "send", "--sign", *as_dan, input="x", status=NO)
    wrong = house["ann"].file("wrong.pw", "not it\n")
    assert house["ann"].err("mail", "list", "--user", "dan", "--password-file", wrong, status=NO)


def test_export_whole(house):
    house.send("ann", "bob", subject="exported", text="out it goes\n")
    uid = house.uid("bob", "exported")
    text = house.mail("bob", "export", uid)
    assert "Subject: exported\n" in text and "out it goes" in text
    (house["bob"].folder / "eml").mkdir()
    house.mail("bob", "export", "-o", "eml", uid, house.uid("bob", "pay"))
    assert len(list((house["bob"].folder / "eml").glob("*.eml"))) == 2
    assert house["bob"].err("mail", "export", uid, house.uid("bob", "pay"), status=USAGE)


@pytest.mark.parametrize("words", [("nonsense",), ("read",), ("send",), ("mark", "1"), ("reply",), ("key", "x", "y"),
                                   ("move", "1"), ("outbox", "name"), ("list", "-n", "x"), ("set", "receipts")])
def test_wrong_use_is_told(house, words):
    assert house["ann"].err("mail", *words, status=USAGE)


def test_the_manual_tells_of_all(house):
    page = (TOP / "units/man/quintet.1").read_text()
    section = page.partition(".It Cm mail Oo")[2].partition(".It Cm ca ")[0]
    commands = re.findall(r"^  (\w+) ", house.mail("ann", "help"), re.M)
    assert len(commands) == 20
    for command in commands:
        assert re.search(rf"^\.It Cm mail {command}\b", section, re.M), command
        for option in re.findall(r"--([a-z-]+)", house.mail("ann", command, "--help").partition("\n\n")[2]):
            if option not in ("profile", "json", "timeout", "help"):
                assert f"Fl -{option}" in section, option
    for key in re.findall(r'^\t\{\'(\S)\', \w+, "', "".join(
            (TOP / f"client/mail/screen_{name}.c").read_text() for name in ("list", "letter")), re.M):
        assert re.search(rf"^\.(It )?Cm .*(\\&)?{re.escape(key)}", section, re.M), key


def test_no_server():
    device = Device(timeout=3)
    try:
        assert device.err("mail", "list", status=USAGE)
    finally:
        device.close()
