"""Fixtures for the interop tests: see instance.py."""

import pytest

from instance import Instance
from ctlhost import fixture_bare, fixture_host, fixture_signing  # noqa: F401


def pytest_configure(config):
    config.addinivalue_line("markers", "release_only: not repeated with the sanitizer build")


@pytest.fixture(scope="session")
def instance():
    """One instance with all services, shared by all tests that do not disturb others."""
    shared = Instance()
    # All come from one address, and several test on purpose what a wrong password does.
    shared.ctl("set", "throttle_source", "1000")
    shared.start_all()
    yield shared
    shared.close()


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
