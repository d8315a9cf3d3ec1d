"""quintet ftp on a device of its own: an account, a folder here and one there, and large files."""

import contextlib
import hashlib
import re
import secrets

import pytest

from device import Device
from instance import until

PASSWORD = "three gentle otters, 1987"


@pytest.fixture(scope="module")
def ann(instance):
    """A device enrolled with an account of its own, and that account's folders on the server."""
    device = Device(timeout=20)
    device.name = "ftp" + secrets.token_hex(4)
    device.home = f"/home/{device.name}"
    instance.account(device.name, PASSWORD)
    device.enroll(instance, device.name, PASSWORD)
    yield device
    device.close()


@pytest.fixture
def place(ann):
    """A fresh folder on either side: (device, folder here, folder there)."""
    word = secrets.token_hex(4)
    here = ann.folder / word
    here.mkdir()
    there = f"{ann.home}/{word}"
    ann.run("ftp", "mkdir", "-p", there)
    return ann, here, there


def on_disk(instance, remote):
    return instance.root / "state/files" / remote.lstrip("/")


def ls(device, path, *more):
    return device.out("ftp", "ls", *more, path).splitlines()


def tree(top):
    """Every file below a folder: relative path to content; folders to None."""
    return {str(p.relative_to(top)): None if p.is_dir() else p.read_bytes() for p in sorted(top.rglob("*"))
            if not p.name.startswith(".quintet")}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def biggest(folder):
    """The size of the largest file that is on its way into a folder."""
    sizes = [0]
    for path in folder.glob(".*"):
        with contextlib.suppress(FileNotFoundError):  # it has just got its name
            sizes.append(path.stat().st_size)
    return max(sizes)


def last_bytes(instance, verb, remote):
    """How much the last complete transfer of a file moved, says the server."""
    found = re.findall(rf'transfer done .* VERB="{verb}" PATH="{remote}" BYTES="(\d+)"', instance.log_text())
    return int(found[-1])


def settled(instance, remote):
    """Waits until the server has put an interrupted upload aside: it notices when it notices."""
    until(lambda: re.search(rf'transfer failed .* VERB="STOR" PATH="{remote}"', instance.log_text()), what="the end")


def wait_part(between, folder):
    """Waits until a transfer is held where PART says, and nearly all that was let through is in a file."""
    between.wait_held()
    until(lambda: biggest(folder) > PART // 2, what="the part")


BIG = 64 * 2**20
PART = 24 * 2**20  # where between.py holds a transfer of it


def big_file(path):
    """Mostly holes, so that it costs no disk; with marks that would show a slip."""
    with open(path, "wb") as f:
        f.truncate(BIG)
        for at in range(0, BIG, 2**20):
            f.seek(at)
            f.write(secrets.token_bytes(64))
    return path


def digest_of(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while chunk := f.read(2**20):
            h.update(chunk)
    return h.hexdigest()
