"""ftpd below other super-servers: the same sessions, with data connections of their own."""

import os
import shutil
import socket
import subprocess

import pytest

from ftps import PASSWORD
from instance import free_port, until

CONTENT = os.urandom(500_000)
DOORS = ("ftps", "ftp")


@pytest.fixture(name="own")
def fixture_own(make_instance):
    own = make_instance()
    own.account("walker", PASSWORD)
    return own


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=60).close()
    except ConnectionRefusedError:
        return False
    return True


def by_tcpserver(own, door, port):
    command = ["tcpserver", "-H", "-R", "-l", "0", "127.0.0.1", str(port), "./bin/ftpd",
               f"--door={door}"]
    own.spawn("tcpserver", command, port=port)


def by_xinetd(own, door, port):
    """It hands over the connection as standard error too, and its working directory is /."""
    config = own.path("work/xinetd.conf")
    config.write_text(
        f"service files\n{{\n type = UNLISTED\n port = {port}\n bind = 127.0.0.1\n"
        " socket_type = stream\n protocol = tcp\n wait = no\n log_type = FILE /dev/null\n"
        f" user = {own.path('work').stat().st_uid}\n server = {own.root}/bin/ftpd\n"
        f" server_args = --door={door}\n}}\n")
    command = [shutil.which("xinetd"), "-dontfork", "-f", str(config), "-pidfile",
               str(own.path("work/xinetd.pid"))]
    folders = ("state", "runtime", "conf", "log/ftpd.log")
    env = {f"QUINTET_{name.split('/')[0].upper()}": str(own.path(name)) for name in folders}
    own.spawn("xinetd", command, env=env, port=port)


def by_inetd_wait(own, door, port):
    with socket.create_server(("127.0.0.1", port)) as listener:
        own.spawn("inetd", ["./bin/ftpd", f"--door={door}", "--idle-exit=0"], stdin=listener, port=port)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("start", [by_tcpserver, by_xinetd, by_inetd_wait])
def test_up_and_down(own, tmp_path, start, door):
    port = free_port()
    start(own, door, port)
    until(lambda: listens(port), what=start.__name__)
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    command = ["curl", "-sS", "--max-time", "60", "--ssl-reqd", "--cacert", own.root_pem, "-u",
               f"walker:{PASSWORD}"]
    url = f"{door}://localhost:{port}/there"
    subprocess.run([*command, "-T", source, url], check=True, timeout=90)
    back = subprocess.run([*command, url], check=True, timeout=90, capture_output=True)
    assert back.stdout == CONTENT and back.stderr == b""
    assert own.path("state/files/shared/there").read_bytes() == CONTENT
