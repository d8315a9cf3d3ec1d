"""Faults: the fixtures of the interop tests, over the test build with its crash points."""

import ctypes
import os
import sys
from pathlib import Path

os.environ.setdefault("QUINTET_TEST_VARIANT", "asan")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "interop"))

import pytest  # noqa: E402
from instance import Instance  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "release_only: not repeated with the sanitizer build")


@pytest.fixture
def make_instance():
    """Instances of a test's own, ended with it: make_instance() starts none of the services."""
    made = []

    def make(**options):
        made.append(Instance(**options))
        return made[-1]

    yield make
    for own in made:
        own.close()


def pytest_sessionstart(session):
    """Mounts that a test makes are seen by nobody else and go with this process."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    clone_newns, ms_rec, ms_private = 0x00020000, 0x4000, 1 << 18
    if libc.unshare(clone_newns) != 0 or libc.mount(None, b"/", None, ms_rec | ms_private, None) != 0:
        raise OSError(ctypes.get_errno(), "no mount namespace of our own")
