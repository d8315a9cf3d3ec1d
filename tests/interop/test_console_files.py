"""The console's files, by lines: folders, transfers beside everything else, given up, cut and resumed."""

import hashlib
import os
import re
import statistics
import time

import pytest

from between import between, between_all  # noqa: F401
from device import NO
from ftphome import ann, last_bytes, on_disk, place, settled  # noqa: F401
from instance import VARIANT
from plain import Plain

LARGE = (256 if VARIANT == "release" else 48) << 20
MIB = 1 << 20


@pytest.fixture
def console(ann):  # noqa: F811
    opened = []

    def begin(folder=None):
        opened.append(Plain(ann, "files"))
        if folder is not None:
            opened[-1].say(f"/cd {folder}")
            opened[-1].expect(f"the folder on the server is {folder}")
        return opened[-1]

    yield begin
    for own in opened:
        own.close()


def test_folders_and_files(instance, place, console):  # noqa: F811
    device, here, there = place
    (here / "tree/sub").mkdir(parents=True)
    (here / "tree/one.txt").write_text("one")
    (here / "tree/sub/two.bin").write_bytes(os.urandom(3 * MIB))
    (here / "a b.txt").write_text("blank")
    own = console(there)
    own.say(f"/put '{here}/tree' .", f"/put {here}/*.txt .")
    own.expect_all(*(f"put {there}/{name}: " for name in ("tree/one.txt", "tree/sub/two.bin", "a b.txt")))
    own.say("/transfers")
    own.expect_all(*(f" put {name}: done, verified" for name in ("one.txt", "two.bin", "a b.txt")))
    assert on_disk(instance, f"{there}/tree/sub/two.bin").read_bytes() == (here / "tree/sub/two.bin").read_bytes()
    own.say("/ls", "/mkdir deep/er", "/mv tree/one.txt deep/er", "/ls deep/er", "/digest 'a b.txt'", "/df")
    own.expect("now at " + there + ", 2 names")
    own.expect("tree/")
    own.expect("1 name")
    own.expect("one.txt")
    own.expect(hashlib.sha256(b"blank").hexdigest())
    own.expect("may still be stored")
    own.say(f"/get tree {here}/back", f"/get nothing {here}", "/transfers")
    assert "verified" in own.expect(f"got {there}/tree/sub/two.bin: ")
    assert (here / "back/sub/two.bin").read_bytes() == (here / "tree/sub/two.bin").read_bytes()
    own.leave("/rm -r tree deep", "/ls", status=NO)
    assert f"{there}/nothing: no such file or folder" in own.text
    assert not on_disk(instance, f"{there}/tree").exists()


def test_keys_do_not_wait_for_a_large_upload(instance, place, console):  # noqa: F811
    _, here, there = place
    with open(here / "large", "wb") as large:
        large.truncate(LARGE)
        large.write(b"not all of it is nothing")
    own = console(there)
    own.say(f"/put {here}/large .")
    took = []
    while not (end := re.search(rf"put {there}/large: (.*)\n", own.text)):
        begin = time.monotonic()
        own.say("/unread")
        own.expect("nothing is unread")
        took.append(time.monotonic() - begin)
        own.read(0.01)
    assert "verified" in end[1]
    assert on_disk(instance, f"{there}/large").stat().st_size == LARGE
    os.unlink(on_disk(instance, f"{there}/large"))
    assert len(took) > 4
    # A busy machine may stop everything for a while, but not often.
    assert statistics.median(took) < 0.1 and max(took) < 2, took


def test_a_transfer_is_given_up_and_goes_on(instance, place, console, between):  # noqa: F811
    _, here, there = place
    data = os.urandom(24 * MIB)
    (here / "data").write_bytes(data)
    own = console(there)
    between.hold(8 * MIB)
    own.say(f"/put {here}/data .")
    between.wait_held()
    own.say("/put nothing", "/transfers", "/cancel 7", "/cancel 1")
    own.expect("nothing: no such file here")
    own.expect("1 put data: ")
    own.expect("no transfer 7 is under way")
    between.release()
    own.expect("stopped: data; what is there is kept for the next time")
    settled(instance, f"{there}/data")
    own.say(f"/put {here}/data .")
    assert "verified" in own.expect(f"put {there}/data: ")
    assert on_disk(instance, f"{there}/data").read_bytes() == data
    assert last_bytes(instance, "STOR", f"{there}/data") < len(data)


def test_a_cut_line_is_taken_up_by_itself(place, console, between):  # noqa: F811
    device, here, there = place
    data = os.urandom(24 * MIB)
    (here / "data").write_bytes(data)
    device.run("ftp", "put", here / "data", f"{there}/data")
    own = console(there)
    between.hold(8 * MIB)
    own.say(f"/get data {here}/copy")
    between.wait_held()
    with between.line_cut():
        pass
    assert "verified" in own.expect(f"got {there}/data: ")
    assert (here / "copy").read_bytes() == data
    own.say("/ls")
    own.expect("24.0 MiB")
