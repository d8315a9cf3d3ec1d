"""A Debian root with systemd, made by mmdebstrap from this machine's own package sources.

The result is kept as a tar archive under build/systemd, named after what it was made from, so that
only the first run pays for it.
"""

import hashlib
import os
import pathlib
import platform
import subprocess

PACKAGES = [
    "systemd",
    "systemd-sysv",
    "dbus",
    "libssl3",
    "liblmdb0",
    "libcrypt1",
    "libsystemd0",
    "iproute2",
    "libncursesw6",
]
# Nothing here is needed by a test, and all of it costs time.
EXCLUDED = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*"]
MASKED = [
    "console-getty.service",
    "getty@tty1.service",
    "systemd-logind.service",
    "systemd-networkd.service",
    "systemd-networkd.socket",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
    "systemd-firstboot.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
]


def _sources():
    """The files that name Debian's own archive: not those of other vendors."""
    folder = pathlib.Path("/etc/apt/sources.list.d")
    candidates = [pathlib.Path("/etc/apt/sources.list"), *sorted(folder.glob("*.sources"))]
    found = [p for p in candidates if p.is_file() and "debian" in p.read_text()]
    if not found:
        raise RuntimeError("no apt source of Debian found")
    return [p for p in found if "debian.org" in p.read_text()] or found


def archive(folder):
    """Path of the archive, made if it is not there yet."""
    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    sources = _sources()
    made_from = repr((suite, PACKAGES, EXCLUDED, [p.read_text() for p in sources]))
    tag = hashlib.sha256(made_from.encode()).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{suite}-{tag}.tar"
    if path.exists():
        return path
    new = folder / f"{suite}-{tag}.new.tar"
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    command += ['--aptopt=Acquire::Check-Valid-Until "false"', "--dpkgopt=force-unsafe-io"]
    command += [f"--dpkgopt=path-exclude={p}" for p in EXCLUDED]
    command += [suite, str(new), *[str(p) for p in sources]]
    subprocess.run(command, check=True, timeout=600)
    os.rename(new, path)
    return path


def unpack(folder, target):
    """A fresh root at target."""
    target.mkdir(parents=True)
    subprocess.run(
        ["tar", "-C", str(target), "-xf", str(archive(folder))], check=True, timeout=120
    )
    (target / "etc/machine-id").write_text(os.urandom(16).hex() + "\n")
    (target / "etc/hostname").write_text("quintet-test\n")
    system = target / "etc/systemd/system"
    for unit in MASKED:
        (system / unit).unlink(missing_ok=True)
        (system / unit).symlink_to("/dev/null")
    journald = target / "etc/systemd/journald.conf.d"
    journald.mkdir(parents=True)
    (journald / "test.conf").write_text(
        "[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\nForwardToConsole=no\n"
    )
