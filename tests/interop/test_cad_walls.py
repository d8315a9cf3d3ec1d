"""The walls around cad and cad-signer, tried from inside by the test build; and what the signer's
process leaves to a stranger at its socket."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from cadtools import EST, get, run
from instance import Instance, KEPT, TOP, until


@pytest.fixture(scope="module")
def hooked():
    """An instance of the test build, whose services try their own walls when told to."""
    if not (TOP / "build/asan/bin/cad").exists():
        pytest.skip("build/asan is not built")
    own = Instance(variant="asan")
    yield own
    own.close()


def ask_signer(own):
    """An empty CRL request, refused or not: the session has lived."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(str(own.root / "runtime/signer.sock"))
        s.sendall(b"\0\0\0\1\0")
        try:
            return s.recv(4096)
        except ConnectionError:
            return b""


def ask_cad(own):
    try:
        return get(own, EST + "/csrattrs")[2]
    except OSError:
        return b""


def ask_plain(own):
    done = run("curl", "-sS", f"http://localhost:{own.ports['ca_plain']}/ca/0.cer", "-o", "/dev/null", "-w",
               "%{http_code}", check=False)
    return done.stdout == "200"


SERVICES = {"cad": ask_cad, "cad-plain": ask_plain, "cad-signer": ask_signer}


def breach(own, name, wall):
    """What a session under that attempt leaves in the log, and whether its peer was served."""
    service = own.start(name, env={"QUINTET_TEST_WALLS": wall})
    served = SERVICES[name](own)
    until(lambda: "session ended" in service.text() or "died of a signal" in service.text(),
          what="the end of the session")
    service.stop()
    return service.text(), served


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("wall", ["open", "write"] + ["store"] * KEPT)
def test_files_are_walled_off(hooked, name, wall):
    text, served = breach(hooked, name, wall)
    assert "wall held" in text and "breached" not in text and served


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("wall", ["connect", "exec"])
def test_network_and_programs_are_deadly(hooked, name, wall):
    text, served = breach(hooked, name, wall)
    assert f'VALUE="{int(signal.SIGSYS)}"' in text and "breached" not in text and not served


def test_the_network_side_never_has_the_key(instance):
    """cad's credentials hold TLS only; the issuing key is in the signer's folder."""
    names = {p.name for p in (instance.root / "conf/credentials/cad").iterdir()}
    assert names == {"tls.key", "tls.pem"}
    assert {"issuing.pem", "ocsp.key", "cmp.key", "cmp.secret"} <= \
        {p.name for p in (instance.root / "conf/credentials/cad-signer").iterdir()}


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming somebody else needs root")
@pytest.mark.parametrize("uid, answered", [(65534, False), (61999, True)])
def test_nobody_is_always_refused(make_instance, uid, answered):
    """65534 is what every foreign user reads as inside a user namespace."""
    own = make_instance()
    signer = own.start("cad-signer")
    os.chmod(own.root / "runtime", 0o777)
    os.chmod(own.root / "runtime/signer.sock", 0o666)
    code = ("import os, socket, sys; os.chdir(sys.argv[1]); os.setgroups([]); os.setgid(int(sys.argv[2]));"
            "os.setuid(int(sys.argv[2])); s = socket.socket(socket.AF_UNIX); s.settimeout(60);"
            "s.connect('signer.sock'); s.sendall(b'\\0\\0\\0\\1\\0'); print(len(s.recv(4096)))")
    done = subprocess.run([sys.executable, "-c", code, own.root / "runtime", str(uid)], capture_output=True,
                          text=True, timeout=30)
    assert (done.stdout.strip() not in ("", "0")) == answered, done.stderr
    assert ("caller refused" in signer.text()) != answered
