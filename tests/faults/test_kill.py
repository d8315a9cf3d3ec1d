"""kill -9, 300 times, in every phase of a write, in sessions and in the signer, under load: nothing
that was acknowledged is lost, and the store is consistent. See lib/base/fault.h for the phases."""

import os
import random
import signal
import time

from audit import check_journal, check_store, rows
from counters import SIGNER_PHASES, STORE_PHASES, Counters
from instance import until
from people import Journal, Person

PHASES = STORE_PHASES + SIGNER_PHASES
KILLS = {**{phase: 34 for phase in PHASES}, "session": 34, "signer": 30}
PEOPLE, LOG_INS = 6, 40


def kill_one(service, rng):
    """SIGKILL for a random process of a listener, at a random moment of its life."""
    while True:
        children = until(service.sessions, what=f"a session of {service.name}")
        time.sleep(rng.random() * 0.02)
        try:
            os.kill(rng.choice(children), signal.SIGKILL)
            return
        except ProcessLookupError:
            continue


def test_kill_300(make_instance, capsys):
    seed = int(os.environ.get("QUINTET_TEST_SEED", random.SystemRandom().randrange(2**32)))
    rng = random.Random(seed)
    instance = make_instance()
    counters = Counters(instance)
    env = {"QUINTET_TEST_FAULTS": "runtime/faults"}
    instance.ctl("set", "signup", "open")
    signer = instance.start_signer(env)
    cad = instance.start("cad", "--max=64", "--per-source=0", env=env)
    journal = Journal()
    people = [Person(cad.port, instance.root_pem, journal, rng.random()) for _ in range(PEOPLE)]
    for person in people:
        person.start()
    plan = [phase for phase, times in KILLS.items() for _ in range(times)]
    rng.shuffle(plan)
    try:
        for phase in plan:
            if phase in PHASES:
                counters.strike(phase, rng.randint(1, 3))
            else:
                kill_one(cad if phase == "session" else signer, rng)
    finally:
        for person in people:
            person.halt.set()
    for person in people:
        person.join(150)
    # Still in service after all that, with nothing held by the dead.
    before = len(journal.serials)
    last = Person(cad.port, instance.root_pem, journal, 0)
    last.sign_up()
    last.enroll()
    assert len(journal.serials) == before + 1
    passwords = sorted(journal.passwords.items())
    for name, password in rng.sample(passwords, min(LOG_INS, len(passwords))):
        assert last.ask("GET", "/account", headers=last.basic(name, password))[0] == 200, name
    cad.stop()
    signer.stop()
    check_store(instance)
    counts = check_journal(instance, journal)
    assert not journal.refused, journal.refused[:3]
    # Who dies between the intent and the certificate leaves a record of it.
    intents = rows(instance, "cert", "list", "--state", "intent")
    assert len(intents) >= KILLS["intent-stored"] + KILLS["signed"]
    with capsys.disabled():
        print(f"\nseed {seed}: {len(plan)} kills {KILLS}; acknowledged and found: %d accounts, "
              "%d certificates, %d revocations" % counts)
