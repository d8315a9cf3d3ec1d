"""What all this is for: a person writes with quintet mail, the recipient sees it at once in an idle mutt,
reads it, and the writer sees the receipt."""

import time

import pytest
from device import Device
from imaps import PASSWORD, Imap
from instance import until
from terminal import Terminal
from test_maild_clients import MUTT

TEXT = "Dear Rudi,\nthe boat leaves at nine.\n"


@pytest.fixture
def two(instance, tmp_path):
    """Willi with a device of his, Rudi with a mutt and the setting to give receipts by itself."""
    device = Device()
    for name in ("willi", "rudi"):
        instance.account(name, PASSWORD)
    device.enroll(instance, "willi", PASSWORD)
    with Imap(instance, "rudi") as imap:
        imap.ok("XSET RECEIPTS ALWAYS")
    config = tmp_path / "muttrc"
    config.write_text(MUTT.format(port=instance.ports["imaps"], name="rudi", password=PASSWORD,
                                  root=instance.root_pem, home=tmp_path))
    env = {"HOME": str(tmp_path), "TERM": "xterm", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    terminal = Terminal(["/usr/bin/mutt", "-F", str(config), "-n"], env, cwd=tmp_path)
    yield device, terminal
    terminal.close()
    device.close()


def states(device):
    return [row["state"] for row in device.json("mail", "receipts")]


def test_a_letter_and_its_receipt(instance, two, capsys):
    willi, mutt = two
    mutt.expect("INBOX")
    # Nobody is told that there is no mail yet; wait until mutt listens.
    service = [s for s in instance.services if s.name == "maild"][-1]
    until(lambda: len(service.sessions()) >= 1, what="mutt's session")
    letter = willi.file("letter", TEXT)
    willi.run("mail", "send", "--plain", "--receipt", "-s", "the boat", "-f", str(letter), "rudi")
    sent = time.monotonic()
    mutt.expect("the boat")
    seen = time.monotonic() - sent
    assert states(willi) == ["delivered"]
    mutt.send("\n")
    mutt.expect("the boat leaves at nine")
    mutt.send("q$")
    until(lambda: [s.partition(" ")[0] for s in states(willi)] == ["read"], what="the receipt")
    # It is an ordinary message too, and a notice that is new once.
    assert any("was read" in row["what"] for row in willi.json("mail", "notices"))
    assert willi.json("mail", "notices") == []
    assert any("rudi" in row["from"] for row in willi.json("mail", "list"))
    with capsys.disabled():
        print(f"\non the recipient's screen {seen * 1000:.0f} ms after the writer's quintet had ended")
