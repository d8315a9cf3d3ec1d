"""The keeper killed, stopped and gone, with people at work: nothing acknowledged is lost or done twice,
nobody hears of a kill, and while it does not answer the services say so and go on with what they can."""

import os
import random
import signal
import time
import urllib.parse

import pytest
from audit import check_journal, check_store, rows
from instance import KEPT, until
from people import FORM, Journal, Person

PEOPLE, KILLS, PATIENCE_MS = 5, 40, 1500

pytestmark = pytest.mark.skipif(not KEPT, reason="without a keeper")


class Strict(Person):
    """Notes every answer that is none of the ones that a healthy service gives."""

    def ask(self, *args, **more):
        status, text = super().ask(*args, **more)
        if status >= 500:
            self.journal.note(self.journal.refused.append, (status, text))
        return status, text


def sign_up(person, name):
    """The status, and how long it took."""
    began = time.monotonic()
    body = urllib.parse.urlencode({"name": name, "password": "a long enough one"})
    status, _ = person.ask("POST", "/account/create", body, FORM)
    return status, time.monotonic() - began


def test_killed(make_instance, capsys):
    seed = int(os.environ.get("QUINTET_TEST_SEED", random.SystemRandom().randrange(2**32)))
    rng = random.Random(seed)
    instance = make_instance()
    instance.ctl("set", "signup", "open")
    instance.start("cad-signer")
    cad = instance.start("cad", "--max=64", "--per-source=0")
    journal = Journal()
    people = [Strict(cad.port, instance.root_pem, journal, rng.random()) for _ in range(PEOPLE)]
    for person in people:
        person.start()
    until(lambda: journal.serials, what="a first certificate")
    for _ in range(KILLS):
        time.sleep(rng.random() * 0.15)
        keeper = instance.keeper
        keeper.process.kill()
        until(lambda old=keeper: instance.keeper is not old, what="another keeper")
    for person in people:
        person.halt.set()
    for person in people:
        person.join(60)
    assert not journal.refused, journal.refused[:3]
    check_store(instance)
    counts = check_journal(instance, journal)
    made = [row["account"] for row in rows(instance, "audit") if row["event"] == "account-create"]
    assert len(made) == len(set(made)) >= counts[0], "an account was made twice, or not entered"
    with capsys.disabled():
        print(f"\nseed {seed}: {KILLS} kills of the keeper; acknowledged and found: %d accounts, "
              "%d certificates, %d revocations" % counts)


def test_silent_and_gone(make_instance):
    instance = make_instance()
    instance.ctl("set", "signup", "open")
    cad = instance.start("cad", "--max=64", "--per-source=0", env={"QUINTET_TEST_PATIENCE_MS": str(PATIENCE_MS)})
    person = Person(cad.port, instance.root_pem, Journal(), 0)
    assert sign_up(person, "ann")[0] == 201
    mine = person.basic("ann", "a long enough one")
    os.kill(instance.keeper.pid, signal.SIGSTOP)
    status, took = sign_up(person, "ben")
    assert status == 503 and took < 10 * PATIENCE_MS / 1000, (status, took)
    assert person.ask("GET", "/.well-known/quintet")[0] == 200
    assert person.ask("GET", "/account", headers=mine)[0] == 200
    os.kill(instance.keeper.pid, signal.SIGCONT)
    # What was asked of it meanwhile may have been done, once.
    assert sign_up(person, "ben")[0] in (201, 409)
    instance.stop_keeper()
    status, took = sign_up(person, "eve")
    assert status == 503 and took < 5, (status, took)
    assert person.ask("GET", "/account", headers=mine)[0] == 200
    instance.start_keeper()
    assert sign_up(person, "eve")[0] == 201
    cad.stop()
    check_store(instance)
