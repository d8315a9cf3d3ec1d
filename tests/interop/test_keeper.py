"""The keeper among services of one user: who needs it, and what is said where there is none."""

import json
import os
import re
import signal

import pytest

import talk
from instance import KEPT, until

pytestmark = pytest.mark.skipif(not KEPT, reason="without a keeper")
GREETINGS = 20


def health(instance):
    done = instance.ctl("--json", "health", check=False)
    return {row["what"]: row["state"] for row in json.loads(done.stdout)}


def test_the_time_dials_nobody(make_instance):
    """What reads and writes nothing of the store asks no keeper. (A session of a second is registered.)"""
    own = make_instance()
    own.start("daytimed", "--max=64", "--per-source=0")
    keeper = own.keeper
    for _ in range(GREETINGS):
        talk.Dialogue(own, own.ports["daytime"]).close()
    until(lambda: "ready" in keeper.text(), what="the keeper's start")
    os.kill(keeper.pid, signal.SIGTERM)
    assert keeper.process.wait(60) == 0
    callers = int(re.search(r'the keeper leaves.* CALLERS="(\d+)"', keeper.text())[1])
    assert callers < GREETINGS / 2


def test_health_tells_of_it(make_instance):
    own = make_instance()
    own.start_signer()
    assert health(own)["keeper"] == "ok"
    own.stop_keeper()
    assert health(own)["keeper"] == "FAILED"
    own.ctl("set", "signup", "open")  # by itself
    own.env["QUINTET_KEEPER"] = "none"
    assert health(own)["keeper"] == "ok"


def test_its_files_are_closed_to_the_group(make_instance):
    own = make_instance()
    own.start_signer()
    until(lambda: "ready" in own.keeper.text(), what="the keeper's start")
    modes = {name: oct(own.path("state/store" + name).stat().st_mode & 0o7777)
             for name in ("", "/data.mdb", "/settled", "/lock.mdb", "/guard")}
    assert modes == {"": "0o2750", "/data.mdb": "0o640", "/settled": "0o640", "/lock.mdb": "0o660", "/guard": "0o660"}
