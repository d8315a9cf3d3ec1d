"""The servers that ftpd is measured beside, and ftpd itself, each started by start() and ended by
stop(), with a cgroup of its own. The anchors see a user database of ours, in a mount namespace."""

import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path

import cpu
from process import TOP

from instance import free_port, until

ANCHORS = TOP / "build/anchors"
UID = 61300
PASSWORD = "correct horse battery"
# crypt(5): what our accounts have, and the cheapest that all anchors take.
YESCRYPT, CHEAP = "$y$j9T$lJLOiFLNo/WPZNLNm/GPV/", "$5$rounds=1000$saltsaltsaltsalt"

NAMESPACE = """
set -e
mount --bind {room}/passwd /etc/passwd
mount --bind {room}/group /etc/group
mount --bind {room}/shadow /etc/shadow
mount --bind {room}/shells /etc/shells
mount --bind {room}/pam.d /etc/pam.d
mkdir -p /run/sshd
exec "$@"
"""

PAM = "auth required pam_unix.so\naccount required pam_permit.so\nsession required pam_permit.so\n"


def crypt(setting):
    libcrypt = ctypes.CDLL("libcrypt.so.1")
    libcrypt.crypt.restype = ctypes.c_char_p
    return libcrypt.crypt(PASSWORD.encode(), setting.encode()).decode()


class Room:
    """Users, credentials and the files that the anchors serve, below one folder (on tmpfs)."""

    def __init__(self, instance):
        self.instance = instance
        self.path = Path(f"/dev/shm/quintet-bench-{os.getpid()}")
        self.home = self.path / "home"
        self.home.mkdir(parents=True)
        (self.path / "pam.d").mkdir()
        (self.path / "empty").mkdir()
        for folder in (self.path, self.path / "empty"):
            folder.chmod(0o755)
        users = {"cheap": CHEAP, "dear": YESCRYPT}
        passwd = Path("/etc/passwd").read_text() + "sshd:x:61299:65534::/run/sshd:/bin/false\n"
        shadow = Path("/etc/shadow").read_text()
        for name, setting in users.items():
            passwd += f"{name}:x:{UID}:{UID}::{self.home}:/bin/sh\n"
            shadow += f"{name}:{crypt(setting)}:19000:0:99999:7:::\n"
        self.write("passwd", passwd)
        self.write("shadow", shadow)
        self.write("group", Path("/etc/group").read_text() + f"bench:x:{UID}:\n")
        self.write("shells", "/bin/sh\n")
        for name in ("vsftpd", "pure-ftpd", "other"):
            self.write(f"pam.d/{name}", PAM)
        credentials = instance.root / "conf/credentials/ftpd"
        self.key = self.write("tls.key", (credentials / "tls.key").read_text())
        self.cert = self.write("tls.pem", (credentials / "tls.pem").read_text())
        self.both = self.write("both.pem", self.key.read_text() + self.cert.read_text())
        self.namespace = self.write("namespace", NAMESPACE.format(room=self.path))
        for secret in (self.key, self.both):
            secret.chmod(0o600)
        os.chown(self.home, UID, UID)

    def write(self, name, text):
        path = self.path / name
        path.write_text(text)
        return path

    def close(self):
        subprocess.run(["rm", "-rf", str(self.path)], check=True)


class Server:
    """One row. command(port): what is started; explicit: the client says AUTH TLS."""

    def __init__(self, name, room, command, users=("cheap", "dear")):
        self.name, self.room, self.make = name, room, command
        self.cheap, self.dear = users
        self.folder = None
        self.root_pem = room.instance.root_pem
        self.process = self.group = None

    def options(self):
        return {}

    def wrap(self, command):
        return ["unshare", "--mount", "--propagation", "private", "sh", str(self.room.namespace),
                *command]

    def start(self):
        self.port = free_port()
        self.group = cpu.Group(f"{abs(hash(self.name))}")
        with open(self.room.path / "log", "ab") as log:
            self.process = subprocess.Popen(
                self.wrap(self.make(self.port)), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **self.options())
        self.group.enter(self.process.pid)
        until(self.listens, what=f"{self.name} listening")
        self.resting = len(self.pids())

    def rest(self):
        """Until the sessions so far have ended."""
        until(lambda: len(self.pids()) <= self.resting, what=f"the end of {self.name}'s sessions")

    def listens(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} has ended: " + (self.room.path / "log").read_text())
        return f"0100007F:{self.port:04X} 00000000:0000 0A" in Path("/proc/net/tcp").read_text()

    def pids(self):
        return [int(pid) for pid in (self.group.path / "cgroup.procs").read_text().split()]

    def stop(self):
        end = time.monotonic() + 10
        while pids := self.pids():
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGTERM if time.monotonic() < end - 7 else signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if self.process.poll() is None:
                time.sleep(0.05)
            assert time.monotonic() < end, f"{self.name} does not end"
        self.process.wait()
        self.group.close()

    def used_ms(self):
        return cpu.used_ms(self.group.path)

    def memory_kib(self):
        """PSS and private memory of all its processes, but the keeper: that leaves when all are idle."""
        pss = private = 0
        for pid in self.pids():
            for name, kib in mapped_kib(pid):
                pss += kib if name == "Pss" else 0
                private += kib if name.startswith("Private_") else 0
        return pss, private


def mapped_kib(pid):
    """What /proc sums up; nothing of the keeper and of who has just ended."""
    try:
        if Path(f"/proc/{pid}/comm").read_text() == "keeper\n":
            return []
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return []
    return [(line.split(":")[0], int(line.split()[1])) for line in lines]


class Ours(Server):
    """ftpd in its instance, as that one's user. Cheap is here the certificate: no hash at all."""

    def __init__(self, name, room, command):
        super().__init__(name, room, command, ("ann", "ann"))
        self.folder = "/shared"

    def wrap(self, command):
        return command

    def options(self):
        root = str(self.room.instance.root)
        return self.room.instance.options({"QUINTET_LOG": f"{root}/work/log"})


def tcpserver(*program):
    return lambda port: ["tcpserver", "-HRl", "localhost", "-c", "512", "-b", "256", "127.0.0.1",
                         str(port), *program]


def waiting(program):
    return lambda port: ["systemd-socket-activate", "-l", f"127.0.0.1:{port}",
                         *inherited(), program, "--door=ftp", "--idle-exit=0", "--max=512",
                         "--per-source=0"]


def inherited():
    """systemd-socket-activate passes on nothing that it is not told."""
    return [word for name in ("STATE", "RUNTIME", "CONF", "DOMAIN", "HOST", "LOG", "ADMIN_USER")
            for word in ("-E", f"QUINTET_{name}")]


def vsftpd(room, listen):
    def command(port):
        config = room.write(f"vsftpd-{port}.conf", "".join(f"{line}\n" for line in [
            *(["listen=YES", f"listen_port={port}", "listen_address=127.0.0.1", "background=NO"]
              if listen else ["listen=NO"]),
            "anonymous_enable=NO", "local_enable=YES", "write_enable=YES", "ssl_enable=YES",
            "ssl_tlsv1=YES", "ssl_ciphers=HIGH", f"rsa_cert_file={room.cert}",
            f"rsa_private_key_file={room.key}", "seccomp_sandbox=NO", "pam_service_name=vsftpd",
            f"secure_chroot_dir={room.path}/empty", "xferlog_enable=NO", "max_per_ip=0",
            "strict_ssl_read_eof=YES"]))
        program = [str(ANCHORS / "usr/sbin/vsftpd"), str(config)]
        return program if listen else tcpserver(*program)(port)
    return command


def pure_ftpd(room, listen):
    program = [str(ANCHORS / "usr/sbin/pure-ftpd"), "-4", "-E", "-l", "unix", "-Y", "2", "-2",
               str(room.both), "-H", "-u", "1", "-c", "512", "-C", "512", "-f", "none"]

    def command(port):
        if listen:
            return [*program, "-S", f"127.0.0.1,{port}", "-g", f"{room.path}/pure-ftpd.pid"]
        return tcpserver(*program)(port)
    return command


def proftpd(room):
    def command(port):
        config = room.write("proftpd.conf", f"""
ServerType standalone
DefaultAddress 127.0.0.1
SocketBindTight on
Port {port}
UseIPv6 off
User nobody
Group nogroup
ModulePath {ANCHORS}/usr/lib/proftpd
LoadModule mod_tls.c
TLSEngine on
TLSRequired on
TLSProtocol TLSv1.2 TLSv1.3
TLSECCertificateFile {room.cert}
TLSECCertificateKeyFile {room.key}
TLSCertificateChainFile {room.instance.chain_pem}
TLSOptions NoSessionReuseRequired
DelayEngine off
AuthOrder mod_auth_unix.c
RequireValidShell off
UseReverseDNS off
AllowOverwrite on
MaxInstances none
ScoreboardFile {room.path}/proftpd.scoreboard
PidFile {room.path}/proftpd.pid
SystemLog none
WtmpLog off
TransferLog none
""")
        return [str(ANCHORS / "usr/sbin/proftpd"), "-n", "-q", "-c", str(config)]
    return command


def sshd(room):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(room.path / "host")],
                   check=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(room.path / "user")],
                   check=True)

    def command(port):
        config = room.write("sshd.conf", f"""
Port {port}
ListenAddress 127.0.0.1
HostKey {room.path}/host
AuthorizedKeysFile {room.path}/user.pub
StrictModes no
UsePAM no
PidFile none
MaxStartups 512
Subsystem sftp internal-sftp
""")
        return [str(ANCHORS / "usr/sbin/sshd"), "-D", "-e", "-f", str(config)]
    return command


def servers(room, variants):
    """All rows; variants: names of builds of ours and their programs."""
    rows = [Ours(f"ftpd, {name}", room, make) for name, make in variants]
    rows += [
        Server("vsftpd, standalone", room, vsftpd(room, True)),
        Server("vsftpd, exec", room, vsftpd(room, False)),
        Server("pure-ftpd, standalone", room, pure_ftpd(room, True)),
        Server("pure-ftpd, exec", room, pure_ftpd(room, False)),
        Server("proftpd, standalone", room, proftpd(room)),
    ]
    return rows
