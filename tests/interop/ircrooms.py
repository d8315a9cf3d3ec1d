"""A house of chat with guests in its rooms, for the tests of what chatd does there."""

import pytest

from instance import Instance
from ircs import ALL, PASSWORD, Irc, name, only, room

PLAYBACK = tuple(cap for cap in ALL if cap != "draft/event-playback")


@pytest.fixture(scope="module")
def house():
    """An instance that lets guests in and counts no flood."""
    own = Instance()
    own.ctl("set", "chat_accounts", "optional")
    own.ctl("set", "chat_flood_rate", "0")
    own.account("ann", PASSWORD)
    own.account("bob", PASSWORD)
    own.start("chatd")
    yield own
    own.close()


@pytest.fixture
def guest(house):
    """Makes guests, who leave with the test: guest(caps)."""
    made = []

    def make(caps=(), **more):
        made.append(Irc(house, name("g"), caps, **more))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def people(house):
    """Fresh accounts with a session each: people(2, caps)."""
    made = []

    def make(count=1, caps=PLAYBACK):
        names = [name("p") for _ in range(count)]
        for each in names:
            house.account(each, PASSWORD)
        made.extend(Irc(house, each, caps, account=(each, PASSWORD)) for each in names)
        return made[-count:] if count > 1 else made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def pair(guest):
    """A channel, its operator and somebody else in it."""
    channel = room()
    op, other = guest(), guest()
    op.join(channel)
    other.join(channel)
    op.sync()
    return channel, op, other


def params(messages, verb):
    return [m.params for m in only(messages, verb)]


def members(client, channel):
    return sorted(word for m in only(client.ask(f"NAMES {channel}"), "353") for word in m.text.split())
