"""A device on which the client runs: profiles and files in a folder of its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from instance import TOP, VARIANT, until
from terminal import Terminal

QUINTET = TOP / "build" / VARIANT / "bin" / "quintet"
OK, NO, UNTRUSTED, USAGE, TEMPORARY, INTERRUPTED = 0, 1, 2, 100, 111, 130


def takes_signals(pid):
    """Is SIGINT blocked, as quintet does first of all? Before that it would end it as any program."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return bool(int(re.search(r"^SigBlk:\s*(\w+)", status, re.M)[1], 16) >> signal.SIGINT - 1 & 1)


class Device:
    def __init__(self, timeout=20):
        self.folder = Path(tempfile.mkdtemp(prefix="quintet-device-"))
        self.profiles = self.folder / "profiles"
        self.env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(self.folder),
                    "QUINTET_CLIENT_DIR": str(self.profiles),
                    "ASAN_OPTIONS": "exitcode=77:detect_stack_use_after_return=0",
                    "UBSAN_OPTIONS": "print_stacktrace=1"}
        self.options = ["--timeout", str(timeout)]
        self.instance = None

    def argv(self, args):
        return [str(QUINTET), *self.options, *map(str, args)]

    def run(self, *args, status=OK, input="", **more):
        """Runs quintet, whose exit status must be the one given; what it did comes back."""
        more.setdefault("env", self.env)
        done = subprocess.run(self.argv(args), input=input, capture_output=True, text=True, timeout=120,
                              cwd=self.folder, **more)
        # The sanitizer says so of every program with contexts; it is told of each switch (client/task.c).
        done.stderr = re.sub(r"==\d+==WARNING: ASan doesn't fully support makecontext.*\n", "", done.stderr)
        assert done.returncode == status, f"{args}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert not args or all(line.startswith(("quintet: ", "usage: quintet ", "    "))
                               for line in done.stderr.splitlines()), done.stderr
        return done

    def out(self, *args, **more):
        return self.run(*args, **more).stdout

    def err(self, *args, **more):
        return self.run(*args, **more).stderr

    def json(self, *args, **more):
        return json.loads(self.out(*args, "--json", **more))

    def timed(self, *args, **more):
        """What it did, and the seconds that it took."""
        start = time.monotonic()
        return self.run(*args, **more), time.monotonic() - start

    def start(self, *args, **more):
        return subprocess.Popen(self.argv(args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=self.env, cwd=self.folder, **more)

    def interrupted(self, *args, when):
        """Starts quintet, waits for when(), presses Ctrl-C: it must end at once, with 130."""
        process = self.start(*args)
        try:
            until(lambda: process.poll() is not None or (takes_signals(process.pid) and when()), what="the wait")
            time.sleep(0.1)
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            start = time.monotonic()
            out, err = process.communicate(timeout=25)
            assert time.monotonic() - start < 10  # what it waits for takes longer, or for ever
            assert (process.returncode, out, err) == (INTERRUPTED, "", "")
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def terminal(self, *args, stdin=None):
        return Terminal(self.argv(args), self.env, self.folder, stdin)

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def names(self):
        """Everything in the folder of profiles."""
        return sorted(os.listdir(self.profiles)) if self.profiles.exists() else []

    def content(self, profile):
        """The files of a profile: name to bytes."""
        return {p.name: p.read_bytes() for p in sorted((self.profiles / profile).iterdir()) if p.is_file()}

    def target(self, host="localhost"):
        return f"{host}:{self.instance.ports['ca']}"

    def enroll(self, instance, name, password, *more):
        """Enrols with the administrator's file."""
        self.instance = instance
        secret = self.file("password", password + "\n")
        return self.out("enroll", self.target(), "--user", name, "--root", instance.root_pem,
                        "--password-file", secret, *more)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)
