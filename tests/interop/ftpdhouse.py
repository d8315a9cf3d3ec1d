"""Fixtures for the tests of ftpd: two people, each with a session of their own."""

import re

import pytest

from ftps import PASSWORD, Ftps

HELLO = b"hello\n" * 1000


@pytest.fixture(scope="module")
def people(instance):
    """Two people who do not know each other."""
    for name in ("probea", "probeb"):
        if name not in instance.ctl("user", "list").stdout:
            instance.account(name, PASSWORD)
    return "probea", "probeb"


@pytest.fixture
def a(instance, people):
    with Ftps(instance) as client:
        client.login(people[0])
        yield client


@pytest.fixture
def b(instance, people):
    with Ftps(instance) as client:
        client.login(people[1])
        yield client


@pytest.fixture
def name(request):
    """A file name of the test's own."""
    return re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())


def shared(instance, name=""):
    return instance.path("state/files/shared") / name


def leftovers(instance):
    return list(instance.path("state/files").rglob(".quintet-*"))
