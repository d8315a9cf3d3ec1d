"""Stock IRC clients at terminals of their own, logged in by certificate: irssi and WeeChat."""

import os
import shutil
import tempfile
from pathlib import Path

from instance import until
from terminal import Terminal

IRSSI = """
servers = ({{ address = "localhost"; port = "{port}"; chatnet = "house"; use_tls = "yes"; tls_verify = "yes";
             tls_cafile = "{root}"; tls_cert = "{cert}"; tls_pkey = "{key}"; autoconnect = "yes"; }});
chatnets = {{ house = {{ type = "IRC"; sasl_mechanism = "EXTERNAL"; sasl_username = "{nick}"; nick = "{nick}"; }}; }};
channels = ({{ name = "{room}"; chatnet = "house"; autojoin = "yes"; }});
settings = {{ core = {{ real_name = "{nick}"; user_name = "{nick}"; nick = "{nick}"; show_server_time = "yes";
             log_timestamp = "%H:%M:%S "; }};
  "fe-common/core" = {{ autolog = "yes"; autolog_path = "{home}/log/$0"; autolog_level = "all";
                        term_charset = "UTF-8"; timestamp_format = "%H:%M:%S"; }};
  "irc/core" = {{ skip_motd = "yes"; }}; }};
"""

WEECHAT = [
    "/set irc.look.server_buffer independent", "/set logger.file.flush_delay 0", "/set logger.file.auto_log on",
    "/set logger.level.irc 9", '/set logger.file.time_format "%Y-%m-%dT%H:%M:%S"',
    '/set logger.mask.irc "$server.$channel.log"', '/set weechat.network.gnutls_ca_user "{root}"',
    "/server add house localhost/{port} -ssl -autojoin={room} -nicks={nick} -username={nick}",
    "/set irc.server.house.ssl_cert {both}", "/set irc.server.house.sasl_mechanism external",
    "/set irc.server.house.sasl_username {nick}", "/connect house"]


class Stock:
    """A client in its home folder; say() says something in the room, log() is what it wrote down of the room."""

    def __init__(self, instance, nick, pair, room):
        self.home = Path(tempfile.mkdtemp(prefix=f"quintet-{nick}-"))
        self.nick, self.room = nick, room
        self.words = {"port": instance.ports["irc"], "root": instance.root_pem, "key": pair[0], "cert": pair[1],
                      "nick": nick, "room": room, "home": self.home, "both": self.home / "both.pem"}
        (self.home / "both.pem").write_text(Path(pair[0]).read_text() + Path(pair[1]).read_text())
        self.env = {"HOME": str(self.home), "TERM": "xterm", "LC_ALL": "C.UTF-8", "TZ": "UTC",
                    "PATH": os.environ["PATH"]}
        self.terminal = None
        self.prepare()

    def start(self):
        self.terminal = Terminal(self.command(), self.env, cwd=self.home)

    def say(self, text):
        """In the room, whichever window is on the screen."""
        self.terminal.send(f"/msg {self.room} {text}\r")

    def log(self):
        """What it has written of the room so far; its screen is read along, or it would stop."""
        while self.terminal and self.terminal.read(0):
            pass
        found = [p for p in self.home.rglob("*") if p.is_file() and self.room in p.name]
        return "".join(p.read_text(errors="replace") for p in found)

    def sees(self, text):
        until(lambda: text in self.log(), what=f"{text!r} in {self.nick}'s window")

    def screen(self, text):
        """Waits for something on its screen."""
        self.terminal.expect(text, 60)

    def leave(self):
        """As a person does."""
        self.terminal.send("/quit\r")
        self.terminal.status(60)

    def die(self):
        """As when the machine loses its power: nobody is told."""
        self.terminal.close()
        self.terminal = None

    def close(self):
        if self.terminal:
            self.terminal.close()
        shutil.rmtree(self.home, ignore_errors=True)


class Irssi(Stock):
    def prepare(self):
        (self.home / "config").write_text(IRSSI.format(**self.words))

    def command(self):
        return ["/usr/bin/irssi", f"--home={self.home}"]


class WeeChat(Stock):
    def prepare(self):
        pass

    def command(self):
        run = [word for line in WEECHAT for word in ("-r", line.format(**self.words))]
        return ["/usr/bin/weechat", "-d", str(self.home / "weechat"), *run]
