"""The servers that maild is measured beside, Dovecot (IMAP, LMTP) and Postfix (submission) from Debian,
and maild itself: the same accounts, the same password hash, the same disk, the same certificate."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import cpu
from ftpservers import ANCHORS, YESCRYPT, Server, crypt, inherited

from instance import free_port

UID = 61301  # whose mail it is at Dovecot
USERS = 100
DOMAIN = "quintet.test"

# The anchors are only unpacked: laid over /usr for them alone, with the users that they want.
NAMESPACE = """
set -e
mount -t overlay overlay -o lowerdir={anchors}/usr:/usr /usr
mount --bind {room}/users /etc/passwd
mount --bind {room}/groups /etc/group
exec "$@"
"""

DOVECOT = """
base_dir = {room}/{name}
state_dir = {room}/{name}
libexec_dir = /usr/lib/dovecot
mail_plugin_dir = /usr/lib/dovecot/modules
auth_stats = no
protocols = imap lmtp
listen = 127.0.0.1
ssl = required
ssl_cert = <{room}/tls.pem
ssl_key = <{room}/tls.key
log_path = {room}/{name}.log
mail_location = mdbox:~/mdbox
first_valid_uid = 1000
mail_max_userip_connections = 1000
default_process_limit = 1000
default_client_limit = 5000
auth_mechanisms = plain login
auth_username_format = %n
passdb {{
  driver = passwd-file
  args = {room}/passwords
}}
userdb {{
  driver = static
  args = uid={uid} gid={uid} home={room}/mail/{name}/%n
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  service_count = {login_count}
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service imap {{
  service_count = {imap_count}
}}
service auth {{
  unix_listener {room}/{name}-auth {{
    mode = 0666
  }}
}}
service lmtp {{
  unix_listener {room}/{name}-lmtp {{
    mode = 0666
  }}
}}
"""

MAIN = """
compatibility_level = 3.6
daemon_directory = /usr/lib/postfix/sbin
queue_directory = {room}/spool
data_directory = {room}/postfix-data
maillog_file = {room}/postfix.log
maillog_file_prefixes = {room}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = {domain}
mydestination =
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = static:ok
virtual_transport = lmtp:unix:{room}/postfix-dovecot-lmtp
alias_maps =
alias_database =
local_recipient_maps =
smtpd_tls_cert_file = {room}/tls.pem
smtpd_tls_key_file = {room}/tls.key
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {room}/postfix-dovecot-auth
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
virtual_mailbox_limit = 0
"""

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
retry unix - - n - - error
error unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

ACCOUNTS = {"dovecot": 61302, "dovenull": 61303, "postfix": 61304}


class Room:
    """Certificate, users and configurations in a folder on the disk where our own store lies."""

    def __init__(self, instance):
        self.instance = instance
        self.path = Path(tempfile.mkdtemp(prefix="quintet-mail-bench-"))
        self.path.chmod(0o755)
        credentials = instance.root / "conf/credentials/maild"
        for name in ("tls.key", "tls.pem"):
            shutil.copy(credentials / name, self.path / name)
        secret = crypt(YESCRYPT)
        self.write("passwords", "".join(f"user{i}:{{CRYPT}}{secret}\n" for i in range(1, USERS + 1)))
        users = "".join(f"{name}:x:{uid}:{uid}::/nonexistent:/bin/false\n"
                        for name, uid in {**ACCOUNTS, "benchmail": UID}.items())
        groups = "".join(f"{name}:x:{uid}:\n"
                         for name, uid in {**ACCOUNTS, "benchmail": UID, "postdrop": 61305}.items())
        drop = (*ACCOUNTS, "postdrop")
        self.write("users", without("/etc/passwd", drop) + users)
        self.write("groups", without("/etc/group", drop) + groups)
        self.namespace = self.write("namespace", NAMESPACE.format(anchors=ANCHORS, room=self.path))
        mail = self.path / "mail"
        mail.mkdir()
        os.chown(mail, UID, UID)

    def write(self, name, text):
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def close(self):
        shutil.rmtree(self.path, ignore_errors=True)


def without(path, names):
    lines = Path(path).read_text().splitlines(keepends=True)
    return "".join(line for line in lines if line.split(":", 1)[0] not in names)


class Anchor(Server):
    """A daemon with children of its own, which ends on SIGTERM."""

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        super().stop()

    def rest(self):
        pass  # they keep processes for a while: that is their way

    @property
    def imap_port(self):
        return self.port

    @property
    def smtp_port(self):
        return self.port


class Dovecot(Anchor):
    def __init__(self, name, room, file, keep):
        super().__init__(name, room, self.command)
        self.file, self.keep = file, keep

    def command(self, port):
        (self.room.path / "mail" / self.file).mkdir(exist_ok=True)
        os.chown(self.room.path / "mail" / self.file, UID, UID)
        config = self.room.write(f"{self.file}.conf", DOVECOT.format(
            room=self.room.path, name=self.file, port=port, uid=UID,
            login_count=0 if self.keep else 1, imap_count=100 if self.keep else 1))
        return ["/usr/sbin/dovecot", "-F", "-c", str(config)]


class Postfix(Anchor):
    """Hands over to a Dovecot of its own by LMTP; that one's IMAP port is for reading."""

    def __init__(self, name, room):
        super().__init__(name, room, self.command)
        self.dovecot = Dovecot("Dovecot", room, "postfix-dovecot", True)

    def command(self, port):
        for folder in ("postfix", "spool", "postfix-data"):
            (self.room.path / folder).mkdir(exist_ok=True)
        os.chown(self.room.path / "postfix-data", ACCOUNTS["postfix"], ACCOUNTS["postfix"])
        self.room.write("postfix/main.cf", MAIN.format(room=self.room.path, domain=DOMAIN))
        self.room.write("postfix/master.cf", MASTER.format(port=port))
        config = str(self.room.path / "postfix")
        return ["sh", "-c", "postfix -c \"$0\" check; exec /usr/lib/postfix/sbin/master -d -c \"$0\"", config]

    def start(self):
        self.dovecot.start()
        super().start()

    def stop(self):
        super().stop()
        self.dovecot.stop()

    @property
    def imap_port(self):
        return self.dovecot.port


class Ours(Server):
    """maild in its instance, both doors in wait mode, as that one's user."""

    def __init__(self, name, room, program, door="imaps"):
        super().__init__(name, room, self.command)
        self.program, self.door = program, door
        self.other = None

    def command(self, port):
        return ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", *inherited(), self.program,
                f"--door={self.door}", "--idle-exit=0", "--max=512", "--per-source=0"]

    def wrap(self, command):
        return command

    def options(self):
        root = str(self.room.instance.root)
        return self.room.instance.options({"QUINTET_LOG": f"{root}/work/log"})

    def start(self):
        super().start()
        if self.door == "imaps":
            self.other = Ours(self.name + ", submission", self.room, self.program, "submissions")
            self.other.start()
            cpu.keep(self, self.room.instance)

    def used_ms(self):
        return sum(cpu.used_ms(server.group.path) for server in (self, self.other))

    def stop(self):
        if self.other:
            self.room.instance.stop_keeper()
        super().stop()
        if self.other:
            self.other.stop()

    @property
    def imap_port(self):
        return self.port

    @property
    def smtp_port(self):
        return self.other.port


def anchors(room):
    return [Dovecot("Dovecot, a process per connection", room, "dovecot", False),
            Dovecot("Dovecot, processes kept", room, "dovecot-kept", True)]


__all__ = ["Dovecot", "Ours", "Postfix", "Room", "anchors", "free_port"]
