"""quintet without a subcommand, by lines: a script, a person at a terminal, services that are down."""

import os
import re
import signal
import statistics
import time

import pytest

from device import INTERRUPTED, NO, OK, USAGE, Device
from instance import TOP, Instance, until
from terminal import Terminal


@pytest.fixture(scope="module")
def house():
    own = Instance()
    own.start_all()
    own.ctl("set", "chat_flood_rate", "0")
    yield own
    own.close()


@pytest.fixture(scope="module")
def people(house):
    made = {}
    for name in ("ann", "bob"):
        house.account(name, f"secret of {name}")
        made[name] = Device()
        made[name].enroll(house, name, f"secret of {name}")
        made[name].env["TERM"] = "xterm"
    yield made
    for device in made.values():
        device.close()


@pytest.fixture
def consoles():
    opened = []

    def begin(device, *args):
        opened.append(device.terminal("--plain", *args))
        return opened[-1]

    yield begin
    for terminal in opened:
        terminal.close()


def script(device, *lines, status=OK):
    return device.run(input="".join(line + "\n" for line in lines), status=status).stdout.splitlines()


def after(told, line):
    """What was printed behind that line."""
    return told[told.index(line) + 1:]


def begun(device, terminal, *parts):
    """At a terminal, once these are there."""
    deadline = time.monotonic() + 60
    while True:
        terminal.send("/status\r")
        terminal.expect("certificate: valid until")
        told = terminal.text[terminal.text.rindex("profile localhost"):]
        if all(f"{part}: up" in told for part in parts):
            return terminal
        assert time.monotonic() < deadline, told
        time.sleep(0.1)


def test_script(house, people):
    """Each line is done before the next; all five services in one script, and its exit status."""
    people["ann"].file("notes.txt", "to be kept\n")
    told = script(people["ann"], "/status", "/join #script", "first words", "//slash", "/write bob The whole",
                  "Dear bob,", "", "a letter.", "/send", "/mkdir things", "/put notes.txt things/notes.txt",
                  "/stamp notes.txt", "/verify notes.txt", "/whoami", "/daytime")
    for part in ("chat", "mail", "files"):
        assert any(line.startswith(f"{part}: up") for line in told), told
    assert [line for line in told if line.startswith("#script ann: ")] == [
        "#script ann: first words", "#script ann: /slash"]
    assert any(line.startswith("sent") for line in told)
    assert any("notes.txt: done, verified" in line for line in told)
    assert len([line for line in told if line.startswith("stamped: ")]) == 2
    assert any(re.match(r"address: +ann@quintet.test", line) for line in told)
    assert any(line.startswith("clock: ") for line in told)
    told = script(people["bob"], "/mail INBOX", "/read", "/ls things", "/get things/notes.txt got.txt")
    assert any("The whole" in line for line in told) and "a letter." in told
    assert any(line.rstrip().endswith("notes.txt") for line in told)
    assert (people["bob"].folder / "got.txt").read_text() == "to be kept\n"
    # Who is in a channel already goes there as well.
    assert "#script ann: more" in script(people["ann"], "/join #script", "more")
    told = script(people["ann"], "/nonsense", "/close", "said to nobody", "/help quit", status=NO)
    assert [line for line in told if line.startswith("error: ")] == [
        "error: there is no command /nonsense; /help lists them",
        "error: there is nothing of that name to be closed",
        told[[i for i, line in enumerate(told) if line.startswith("error: ")][2]]]
    assert any(line.startswith("/quit") for line in told)


def test_two_people(people, consoles):
    """A channel, private words, a call with its question, a file in it: at two terminals."""
    ann, bob = (begun(people[name], consoles(people[name]), "chat") for name in ("ann", "bob"))
    for terminal in (ann, bob):
        terminal.send("/join #lobby\r")
        terminal.expect("now at #lobby")
    ann.send("hello bob, \u00e4\u4e2d\r")
    ann.expect("#lobby ann: hello bob")
    bob.expect("#lobby ann: hello bob, \u00e4\u4e2d")
    bob.send("/que\tann psst\r")
    bob.expect("private to ann bob: psst")
    ann.expect("private bob: psst")
    ann.expect("(unread in 1) #lobby> ")
    ann.send("/next\r")
    ann.expect("now at bob")
    people["ann"].file("given.txt", "from hand to hand\n")
    ann.send("/call bob\r")
    bob.expect("calls: take the call?")
    bob.expect("yes or no? ")
    bob.send("yes\r")
    for terminal, other in ((ann, "bob"), (bob, "ann")):
        terminal.expect(f"now at ={other}")
    ann.send("nobody else reads this\r")
    bob.expect("call ann: nobody else reads this")
    ann.send("/send given.txt\r")
    bob.expect("given.txt")
    bob.send("/get\r")
    until(lambda: (people["bob"].folder / "given.txt").exists() and
          (people["bob"].folder / "given.txt").read_text() == "from hand to hand\n")
    ann.expect("transfer 1 put given.txt to bob: done, verified")
    bob.expect("transfer 1 get given.txt from ann: done, verified")
    bob.send("/hangup\r")
    ann.expect("bob has ended the call")
    ann.send("/close\r")
    ann.expect("now at house")
    for terminal in (ann, bob):
        start = time.monotonic()
        terminal.send("/quit\r")
        assert terminal.status() == OK and time.monotonic() - start < 2.5


def test_ends(people, consoles):
    """Ctrl-C once says how to leave, twice leaves; signals leave in order; Ctrl-D too."""
    ann = begun(people["ann"], consoles(people["ann"]), "chat")
    ann.send("half a line\x03")
    ann.send("\x03")
    ann.expect("Ctrl-C once more")
    ann.send("\x03")
    assert ann.status() == INTERRUPTED
    ann = begun(people["ann"], consoles(people["ann"]), "chat")
    os.kill(ann.pid, signal.SIGTERM)
    assert ann.status() == INTERRUPTED
    ann = begun(people["ann"], consoles(people["ann"]), "chat")
    ann.send("\x04")
    assert ann.status() == OK and ann.echoes()


@pytest.mark.release_only
def test_stays_responsive(people, consoles):
    """Keys are answered while a large file goes up; leaving keeps its part, and it goes on."""
    bob = people["bob"]
    size = 512 << 20
    with open(bob.folder / "large", "wb") as out:
        out.truncate(size)
    terminal = begun(bob, consoles(bob), "files", "chat")
    terminal.send("/put large\r")
    terminal.expect("put large: ")
    taken = []
    for _ in range(30):
        seen, start = len(terminal.text), time.monotonic()
        terminal.send("x")
        while "x" not in terminal.text[seen:]:
            assert terminal.read(10)
        taken.append(time.monotonic() - start)
        time.sleep(0.01)
    assert statistics.median(taken) < 0.1, sorted(taken)
    terminal.send("\x15")
    start = time.monotonic()
    terminal.send("/quit\r")
    assert terminal.status() == OK and time.monotonic() - start < 2.5
    terminal = begun(bob, consoles(bob), "files")
    terminal.send("/put large\r")
    terminal.expect("large: done, verified")
    terminal.send("/rm large\r/quit now\r")
    assert terminal.status() == OK
    (bob.folder / "large").unlink()


def test_one_service_down(house, people, consoles):
    """What is down is told, waits and comes back; the others are not disturbed."""
    chatd = next(s for s in house.services if s.name == "chatd")
    ann = begun(people["ann"], consoles(people["ann"]), "chat", "files", "mail")
    ann.send("/join #down\r")
    ann.expect("now at #down")
    chatd.stop()
    ann.expect("chat is lost: ")
    ann.send("said meanwhile\r")
    ann.send("/status\r")
    ann.expect("chat: down: ")
    ann.expect("files: up")
    ann.send("/ls\r")
    ann.expect("now at /")
    again = house.start("chatd")
    ann.send("/retry chat\r")
    ann.expect("chat: up again")
    ann.send("/go #down\r")
    ann.expect("ann: said meanwhile")
    ann.send("/quit\r")
    assert ann.status() == OK
    # From the beginning, too: it is told once, and is there when it can be.
    again.stop()
    told = script(people["bob"], "/join #down", "/status", status=NO)
    assert any(line.startswith("error: chat is not there: ") for line in told)
    assert any(line.startswith("error: /join: no chat now") for line in told)
    assert any(line.startswith("mail: up") for line in told)
    house.start("chatd")


def test_completion(people, consoles):
    ann = begun(people["ann"], consoles(people["ann"]), "chat", "files")
    (people["ann"].folder / "a folder").mkdir(exist_ok=True)
    people["ann"].file("a folder/inner file.txt", "x")
    ann.send("/joi\t#complete\r")
    ann.expect("now at #complete")
    ann.send("/go #com\t\x15/stamp a\\ fo\tin\t")
    ann.expect("/stamp a\\ folder/inner\\ file.txt")
    ann.send("\x15/s\t")
    ann.expect("stamp")
    ann.send("\x15/quit\r")
    assert ann.status() == OK


def test_manual_tells_all_commands(people):
    told = script(people["ann"], "/help")
    commands = {line[1:].split(":")[0].split()[0] for line in told if re.match(r"/[a-z-]+[ :]", line)}
    manual = (TOP / "units/man/quintet.1").read_text()
    assert len(commands) > 60
    assert not {name for name in commands if not re.search(rf"/{name}\b", manual)}


def test_needs_a_profile():
    device = Device()
    assert "begin with: quintet enroll" in device.err("--plain", status=USAGE)
    assert "without a command" in device.err("--plain", "status", status=USAGE)
    device.close()


def test_dumb_terminal_is_not_edited(people, consoles):
    env = {**people["ann"].env, "TERM": "dumb"}
    terminal = Terminal(people["ann"].argv([]), env, people["ann"].folder)
    try:
        terminal.expect("/quit leaves")
        assert terminal.echoes()
        terminal.send("/status\n")
        terminal.expect("ann at localhost, profile")
        terminal.send("/quit\n")
        assert terminal.status() == OK and "\x1b" not in terminal.text
    finally:
        terminal.close()
