"""The servers that chatd is measured beside, InspIRCd and ngIRCd from Debian, and chatd itself, each
with its flood control off and the same certificate."""

import os
import pwd
import shutil
from pathlib import Path

import cpu
from ftpservers import ANCHORS, Server

INSPIRCD = """
<config format="xml">
<server name="irc.bench.test" description="bench" network="Bench" id="1AA">
<admin name="bench" nick="bench" email="bench@bench.test">
<path moduledir="{anchors}/usr/lib/inspircd/modules" datadir="{room}" logdir="{room}" runtimedir="{room}">
<bind address="127.0.0.1" port="{port}" type="clients" sslprofile="tls">
<sslprofile name="tls" provider="gnutls" certfile="{room}/tls.pem" keyfile="{room}/tls.key">
<module name="ssl_gnutls">
<connect allow="*" timeout="60" pingfreq="600" hardsendq="64M" softsendq="64M" recvq="16M" threshold="1000000"
 commandrate="100000000" fakelag="no" localmax="2000" globalmax="2000" maxchans="20" resolvehostnames="no"
 useident="no">
<performance softlimit="4000" somaxconn="512" netbuffersize="65534">
<options allowhalfop="yes">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="inspircd.log">
"""

NGIRCD = """
[Global]
Name = irc.bench.test
Info = bench
AdminInfo1 = bench
AdminEMail = bench@bench.test
Listen = 127.0.0.1
Ports = {plain}
MotdPhrase = bench
PidFile = {room}/ngircd.pid
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 10
MaxPenaltyTime = 0
PingTimeout = 600
[Options]
DNS = no
Ident = no
PAM = no
SyslogFacility = local1
[SSL]
CertFile = {room}/tls.pem
KeyFile = {room}/tls.key
Ports = {port}
"""


class Room:
    """The certificate and the configurations, below one folder (on tmpfs)."""

    def __init__(self, instance):
        self.instance = instance
        self.path = Path(f"/dev/shm/quintet-chat-bench-{os.getpid()}")
        self.path.mkdir()
        credentials = instance.root / "conf/credentials/chatd"
        for name in ("tls.key", "tls.pem"):
            shutil.copy(credentials / name, self.path / name)
        self.give()

    def write(self, name, text):
        (self.path / name).write_text(text)
        self.give()
        return self.path / name

    def give(self):
        """The anchors refuse to be root."""
        for path in [self.path, *self.path.iterdir()]:
            os.chown(path, *nobody())

    def close(self):
        shutil.rmtree(self.path)


def nobody():
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


class Chat(Server):
    """An anchor, as nobody."""

    def wrap(self, command):
        return command

    def options(self):
        uid, gid = nobody()
        return {"user": uid, "group": gid, "extra_groups": [], "cwd": self.room.path}


class Ours(Chat):
    """chatd in its instance, as that one's user."""

    durable = True

    def options(self):
        root = str(self.room.instance.root)
        return self.room.instance.options({"QUINTET_LOG": f"{root}/work/log"})

    def start(self):
        super().start()
        cpu.keep(self, self.room.instance)

    def stop(self):
        self.room.instance.stop_keeper()
        super().stop()


def inspircd(room):
    def command(port):
        config = room.write("inspircd.conf", INSPIRCD.format(anchors=ANCHORS, room=room.path, port=port))
        return [str(ANCHORS / "usr/sbin/inspircd"), "--nofork", "--config", str(config)]
    return command


def ngircd(room, free_port):
    def command(port):
        config = room.write("ngircd.conf", NGIRCD.format(room=room.path, port=port, plain=free_port()))
        return [str(ANCHORS / "usr/sbin/ngircd"), "-n", "-f", str(config)]
    return command
