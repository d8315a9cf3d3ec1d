"""kill -9, 300 times, in every phase of a write, in sessions and in the signer, under load: nothing
that was acknowledged is lost, and the store is consistent. See lib/base/fault.h for the phases."""

import ctypes
import mmap
import os
import random
import signal
import time

from audit import check_journal, check_store, rows
from instance import until
from people import Journal, Person

PHASES = ("write-begun", "write-done", "commit-flush", "commit-meta", "committed", "intent-stored",
          "signed")
KILLS = {**{phase: 34 for phase in PHASES}, "session": 34, "signer": 30}
PEOPLE, LOG_INS = 6, 40


class Counters:
    """The shared crash point counters."""

    def __init__(self, instance):
        path = instance.path("runtime/faults")
        path.write_bytes(bytes(4 * len(PHASES)))
        instance.give(path)
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 4 * len(PHASES))
        self.values = (ctypes.c_int32 * len(PHASES)).from_buffer(self.map)

    def strike(self, phase, nth):
        """The nth process that comes to the phase dies there; returns when it has."""
        i = PHASES.index(phase)
        self.values[i] = nth
        until(lambda: self.values[i] <= 0, 30, f"a kill at {phase}")
        self.values[i] = 0


def kill_one(service, rng):
    """SIGKILL for a random process of a listener, at a random moment of its life."""
    while True:
        children = until(service.sessions, 20, f"a session of {service.name}")
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
        person.join(30)
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
