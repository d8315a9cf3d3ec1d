"""A host for quintetctl's tests: an instance that is made by the test itself, nothing started."""
import json
import subprocess

import pytest

from instance import Instance


class Host(Instance):
    """A host for the administrator: example.org, and nothing started."""

    def __init__(self):
        super().__init__("example.org", "h.example.org", init=False)
        self.as_root = False
        self.complaint = ""
        self.signer = None

    def options(self, env=None):
        options = super().options(env)
        if self.as_root:
            for key in ("user", "group", "extra_groups"):
                options.pop(key, None)
        return options

    def ctl(self, *args, status=0, text="", wrapper=()):
        """Runs quintetctl; the exit status must be the one expected. Standard output comes back."""
        command = [*wrapper, "./bin/quintetctl", *args]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120,
                              check=False, **self.options())
        self.complaint = done.stderr
        assert done.returncode == status, (args, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def json(self, *args, **more):
        return json.loads(self.ctl("--json", *args, **more))

    def init(self, *more):
        return self.ctl("init", "--domain", "example.org", "--host", "h.example.org",
                        "--host-name", "localhost", "--host-name", "127.0.0.1", "--host-name",
                        "::1", *more)

    def add_user(self, name, *more, password="correct horse"):
        self.ctl("user", "add", name, "--password-file", "-", *more, text=password + "\n")

    def give_file(self, name):
        self.give(self.path(name))

    def sign(self):
        self.signer = self.start("cad-signer")


def openssl(*args, text=None):
    done = subprocess.run(["openssl", *map(str, args)], input=text, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, (args, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(name="bare")
def fixture_bare():
    host = Host()
    yield host
    host.close()


@pytest.fixture(name="host")
def fixture_host(bare):
    bare.init()
    return bare


@pytest.fixture(name="signing")
def fixture_signing(host):
    host.sign()
    return host
