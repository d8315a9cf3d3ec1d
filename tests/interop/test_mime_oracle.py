"""The MIME reader beside two others, Python's email package and GMime: whatever both of them see in a message,
ours must see as well. The program is build/asan/tests/interop/mime_tell (tests/tests.mk)."""

import base64
import json
import random
import re
import subprocess

import pytest
from instance import TOP
from mimemaker import BROKEN, TEXTS, message
from mimeoracles import by_gmime, by_python

TELL = TOP / "build/asan/tests/interop/mime_tell"
SEED = 20261121
COUNT = 300


def tell(folder, messages):
    """What ours says of each."""
    assert TELL.exists(), "make check-interop builds it"
    names = []
    for i, data in enumerate(messages):
        names.append(folder / f"{i}.eml")
        names[-1].write_bytes(data)
    run = subprocess.run([TELL, *names], stdout=subprocess.PIPE, check=True, timeout=300)
    return [json.loads(line) for line in run.stdout.splitlines()]


def depth_of(parts, i):
    return 0 if parts[i]["parent"] < 0 else 1 + depth_of(parts, parts[i]["parent"])


def addresses(told, name):
    made = []
    for a in told[name]:
        if not a["group"]:
            local = a["local"]
            if any(c in ' ",' for c in local):
                local = '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'
            made.append((a["name"], local + ("@" + a["domain"] if a["domain"] else "")))
    return made


def ours(told):
    """The same description as the oracles'."""
    parts = told["parts"]
    return {
        "parts": [
            (depth_of(parts, i), f"{p['type']}/{p['subtype']}", base64.b64decode(p["body"]) if "body" in p else None)
            for i, p in enumerate(parts)
        ],
        "subject": told["subject"],
        "from": addresses(told, "From"),
        "to": addresses(told, "To"),
        "date": told["date"][0] if told["date"] else None,
    }


def alike(found):
    """Blanks at line ends in quoted-printable go (RFC 2045 section 6.7), though both oracles keep them; tabs of
    subjects are blanks."""
    found["subject"] = found["subject"].replace("\t", " ")
    found["parts"] = [(d, t, re.sub(rb"[ \t]+(?=\r?\n|$)", b"", body) if body else body) for d, t, body in found["parts"]]
    return found


def compare(data, told, what, keys=None):
    """Both oracles' agreement; how many things they agreed on."""
    gmime = by_gmime(data)
    agreed = 0
    if gmime is None:
        return 0
    gmime, python, mine = alike(gmime), alike(by_python(data)), alike(ours(told))
    for key in keys or mine:
        if python[key] == gmime[key]:
            agreed += 1
            assert mine[key] == python[key], f"{what}: {key}\n{data!r}"
    return agreed


@pytest.fixture(scope="module")
def made():
    rng = random.Random(SEED)
    print("seed", SEED)
    return [message(rng) for _ in range(COUNT)]


def test_made_messages_read_as_they_were_made(made, tmp_path):
    told = tell(tmp_path, [m.as_bytes() for m in made])
    agreed = 0
    for i, m in enumerate(made):
        data = m.as_bytes()
        agreed += compare(data, told[i], f"message {i}")
        if by_gmime(data)["subject"] == str(m["Subject"]):  # Python loses blanks between encoded words it writes
            assert told[i]["subject"] == str(m["Subject"])
        assert addresses(told[i], "From") == [(a.display_name, a.addr_spec) for a in m["From"].addresses]
        assert addresses(told[i], "To") == [(a.display_name, a.addr_spec) for a in m["To"].addresses]
        assert told[i]["msgid"] == m["Message-ID"]
        assert told[i]["date"][1] == m["Date"].datetime.utcoffset().total_seconds()
    assert agreed > COUNT * 4, "the oracles agree on nearly everything that is well-formed"


def leaves(part):
    if part.is_multipart():
        for child in part.get_payload():
            yield from leaves(child)
    else:
        yield part


def test_texts_and_names_of_files(made, tmp_path):
    texts = names = 0
    for told, m in zip(tell(tmp_path, [m.as_bytes() for m in made]), made):
        mine = [p for p in told["parts"] if p["kind"] == 0]
        theirs = list(leaves(m))
        assert len(mine) == len(theirs)
        for p, part in zip(mine, theirs):
            if part.get_content_maintype() == "text":
                assert p["text"].replace("\r\n", "\n") in [t * n for t in TEXTS.values() for n in range(6)]
                assert p["text"].replace("\r\n", "\n") == part.get_content().replace("\r\n", "\n")
                texts += 1
            if part.get_filename() is not None:
                assert p["filename"] == part.get_filename().strip()[:200].encode()[:200].decode(errors="ignore")
                names += 1
    assert texts > COUNT and names > COUNT / 5


@pytest.mark.parametrize("what", BROKEN)
def test_broken_messages(what, tmp_path):
    data = BROKEN[what]
    assert compare(data, tell(tmp_path, [data])[0], what) > 0


def test_damaged_messages(made, tmp_path):
    """Bytes lost, doubled and changed: where both oracles still see one thing, so do we."""
    rng = random.Random(SEED + 1)
    damaged = []
    for m in made:
        data = bytearray(m.as_bytes())
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(data))
            data[at:at + rng.choice([0, 1, 20])] = rng.choice([b"", b"\r\n", b"--", b";", b"\"", b"=", b" "])
        damaged.append(bytes(data))
    told = tell(tmp_path, damaged)
    keys = ("parts",)  # what is left of a damaged subject or address is anybody's guess
    agreed = sum(compare(data, t, f"damaged {i}", keys) for i, (data, t) in enumerate(zip(damaged, told)))
    assert agreed > COUNT * 0.5


# -- BODYSTRUCTURE and ENVELOPE by IMAP's own grammar -----------------------------------------------------------


def read_list(data):
    """IMAP's lists, strings, NIL and numbers as Python's."""

    def value(i):
        if data[i:i + 1] == b"(":
            made, i = [], i + 1
            while data[i:i + 1] != b")":
                one, i = value(i + (data[i:i + 1] == b" "))
                made.append(one)
            return made, i + 1
        if data[i:i + 1] == b'"':
            made, i = b"", i + 1
            while data[i:i + 1] != b'"':
                i += data[i:i + 1] == b"\\"
                made, i = made + data[i:i + 1], i + 1
            return made, i + 1
        if data[i:i + 1] == b"{":
            end = data.index(b"}\r\n", i)
            size = int(data[i + 1:end])
            return data[end + 3:end + 3 + size], end + 3 + size
        end = i
        while data[end:end + 1] not in (b" ", b")", b"(", b""):
            end += 1
        word = data[i:end]
        return (None if word == b"NIL" else int(word)), end

    made, end = value(0)
    assert end == len(data)
    return made


def check_structure(body, parts, i):
    """BODYSTRUCTURE of a part beside the part itself; gives the next part's index."""
    part = parts[i]
    if part["kind"] == 1:
        children = [c for c in body if isinstance(c, list)][:sum(p["parent"] == i for p in parts)]
        at = i + 1
        for child in children:
            at = check_structure(child, parts, at)
        assert body[len(children)].decode().lower() == part["subtype"]
        assert len(body) == len(children) + 5
        return at
    assert [body[0].decode().lower(), body[1].decode().lower()] == [part["type"], part["subtype"]]
    raw = base64.b64decode(part["raw"])
    assert body[6] == len(raw) == part["size"]
    if part["kind"] == 2:
        assert len(body[7]) == 10 and body[9] == raw.count(b"\n") and len(body) == 14
        return check_structure(body[8], parts, i + 1)
    if part["type"] == "text":
        assert body[7] == raw.count(b"\n")
    assert len(body) == (12 if part["type"] == "text" else 11)
    return i + 1


def test_structure_is_imaps(made, tmp_path):
    for m, told in zip(made, tell(tmp_path, [m.as_bytes() for m in made])):
        structure = read_list(base64.b64decode(told["bodystructure"]))
        envelope = read_list(base64.b64decode(told["envelope"]))
        assert check_structure(structure, told["parts"], 0) == len(told["parts"])
        assert len(envelope) == 10
        assert envelope[2] == envelope[3] == envelope[4]
        assert [a[2] + b"@" + a[3] for a in envelope[5]] == [
            f"{a['local']}@{a['domain']}".encode() for a in told["To"]]
        assert envelope[9] == m["Message-ID"].encode()
