"""Quintet under a systemd of its own, for the rows of the table that need one."""

import contextlib
import subprocess
import sys
from pathlib import Path

import cpu

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/systemd"))

from house import House  # noqa: E402
from machine import Machine  # noqa: E402

BARE_PORT = 1013
UNITS = {
    # The limits must not be what is measured.
    "daytimed.socket.d/bench.conf":
        "[Socket]\nMaxConnections=512\nMaxConnectionsPerSource=512\n",
    "daytimed-wait.service.d/zz-bench.conf":
        "[Service]\nExecStart=\nExecStart=/usr/libexec/quintet/daytimed --max=512 --per-source=0\n",
    # Nothing but an account, as the shortest manual would have it.
    "bare.socket":
        f"[Socket]\nListenStream={BARE_PORT}\nAccept=yes\nMaxConnections=512\n"
        "MaxConnectionsPerSource=512\nBacklog=256\nTriggerLimitIntervalSec=0\n",
    "bare@.service":
        "[Unit]\nCollectMode=inactive-or-failed\n[Service]\nExecStart=-/usr/libexec/quintet/daytimed\n"
        "User=quintet-daytimed\nStandardInput=socket\nStandardError=journal\n"
        "Environment=QUINTET_CREDENTIALS=/etc/quintet/bare\n"
        "EnvironmentFile=-/etc/quintet/quintet.env\n",
}


@contextlib.contextmanager
def machine():
    """A booted machine with Quintet initialised and no service listening yet."""
    m = Machine(TOP / "build/systemd")
    group = cpu.folder(m.name)
    if group not in m.cgroups:
        m.cgroups.append(group)
    with m:
        subprocess.run(["make", "-s", "-o", "all", "-C", str(TOP), "install", f"DESTDIR={m.root}"],
                       check=True, timeout=120, stdout=subprocess.DEVNULL)
        for name, text in UNITS.items():
            path = m.root / "etc/systemd/system" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        m.boot()
        m.run("systemd-sysusers")
        m.run("systemd-tmpfiles", "--create")
        m.run("quintetctl", "init", "--domain", "quintet.test", "--host", "host.quintet.test",
              "--host-name", "localhost")
        m.run("sh", "-c", "cp -r /etc/quintet/credentials/daytimed /etc/quintet/bare && "
                          "chown -R quintet-daytimed: /etc/quintet/bare")
        yield m, House(m, TOP)
