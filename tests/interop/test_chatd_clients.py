"""The programs that people have: irssi and WeeChat, logged in by certificate, and quintet chat, all in
one channel; and what they see when they come back."""

import re
import time

import pytest

from device import Device
from instance import Instance, until
from ircclients import Irssi, WeeChat
from ircs import PASSWORD, USUAL, Irc, only

pytestmark = pytest.mark.release_only
ROOM = "#house"


@pytest.fixture(scope="module")
def house():
    own = Instance()
    for name in ("cad-signer", "cad", "chatd"):
        own.start(name)
    for name in ("ann", "bob", "cay", "dan", "eve"):
        own.account(name, PASSWORD)
    yield own
    own.close()


@pytest.fixture
def stock(house):
    made = []

    def make(kind, name):
        made.append(kind(house, name, house.enroll(name, PASSWORD), ROOM))
        made[-1].start()
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def ours(house):
    made = []

    def make(name):
        device = Device()
        device.enroll(house, name, PASSWORD)
        terminal = device.terminal("chat", ROOM)
        made.append((device, terminal))
        terminal.expect(f"{ROOM}> ", 60)
        return terminal

    yield make
    for device, terminal in made:
        terminal.close()
        device.close()


def said_at(log, text):
    """The time, HH:MM:SS, that a client shows before what was said; it is there once."""
    (line,) = [line for line in log.splitlines() if text in line]
    return re.search(r"[0-9]{2}:[0-9]{2}:[0-9]{2}", line)[0]


def shows(terminal, text):
    until(lambda: (terminal.read(0.05), text in terminal.text)[1], what=f"{text!r} on the screen")


class Witness:
    """Somebody who is there all the time, and knows when the server was told what."""

    def __init__(self, house):
        self.irc = Irc(house, "eve", USUAL, account=("eve", PASSWORD))
        self.irc.join(ROOM)
        self.heard = {}

    def here(self, *names):
        who = str(self.irc.ask(f"WHO {ROOM}"))
        return all(f" user.{name} " in who for name in names)

    def time_of(self, text):
        """HH:MM:SS of the server's time."""
        def heard():
            self.heard.update({m.text: m.tags["time"] for m in only(self.irc.sync(), "PRIVMSG")})
            return text in self.heard
        until(heard, what=f"{text!r} in the channel")
        return self.heard[text][11:19]


@pytest.fixture
def eve(house):
    witness = Witness(house)
    yield witness
    witness.irc.close()


def test_four_people_in_one_channel(eve, stock, ours):
    ann, bob = stock(Irssi, "ann"), stock(WeeChat, "bob")
    cay, dan = ours("cay"), ours("dan")
    until(lambda: eve.here("ann", "bob", "cay", "dan"), what="four in the channel")
    ann.say("from irssi")
    bob.say("from weechat")
    cay.send("from cay\r")
    dan.send("from dan, who says “ä”\r")
    for text in ("from irssi", "from weechat", "from cay", "from dan, who says “ä”"):
        ann.sees(text)
        bob.sees(text)
        shows(cay, text)
        shows(dan, text)


def missed(client, eve, *texts):
    """A client that comes back sees each of them once, with the time at which it was said."""
    client.start()
    client.sees(texts[-1])
    for text in texts:
        assert said_at(client.log(), text) == eve.time_of(text), client.log()


@pytest.mark.parametrize(("kind", "name"), [(Irssi, "ann"), (WeeChat, "bob")])
def test_who_lost_the_line_misses_nothing(house, eve, stock, ours, kind, name):
    client, cay = stock(kind, name), ours("cay")
    until(lambda: eve.here(name, "cay"), what="both in the channel")
    texts = [f"{name} does not hear the {word}" for word in ("first", "second")]
    client.die()
    until(lambda: not eve.here(name), what=f"the end of {name}")
    for text in texts:
        cay.send(text + "\r")
        eve.time_of(text)
        time.sleep(2)
    missed(client, eve, *texts)
    # And the same after a goodbye.
    client.leave()
    until(lambda: not eve.here(name), what=f"the end of {name}")
    cay.send(f"{name} has gone\r")
    eve.time_of(f"{name} has gone")
    time.sleep(2)
    missed(client, eve, f"{name} has gone")
    cay.send("/quit\r")
    assert cay.status() == 0
