"""The manual pages against the programs: doors, options, commands and settings are all told."""

import re

import pytest

from ftps import Ftps
from imaps import Imap
from instance import MORE, SERVICES, TOP
from ircs import PASSWORD, Irc, only
from smtps import Smtps

PAGES = TOP / "units/man"


def page(name):
    return (PAGES / name).read_text()


PROGRAMS = sorted({"keeper", *(program for program, _, _ in [*SERVICES.values(), *MORE.values()])})


@pytest.mark.parametrize("program", PROGRAMS)
def test_options_and_doors(instance, program):
    text = page(f"{program}.8")
    said = instance.run(program, "--help").stdout
    for option in re.findall(r"--([a-z-]+)", said):
        if option not in ("help", "version"):
            assert f"Fl -{option}" in text, option
    for door in (door for other, door, _ in [*SERVICES.values(), *MORE.values()] if other == program):
        assert re.search(rf"\b{door}\b", text), door


def test_settings():
    """Every variable that a program reads is in quintet(7)."""
    source = "".join((TOP / f"lib/{name}.c").read_text() for name in ("service/settings", "base/log"))
    names = set(re.findall(r'"(QUINTET_[A-Z_]+)"', source))
    assert len(names) > 14
    for name in names:
        assert re.search(rf"^\.It Ev .*\b{name}\b", page("quintet.7"), re.M), name


def test_commands_of_ftpd(instance):
    text = page("ftpd.8")
    with Ftps(instance) as client:
        said = {line.split()[0] for line in client.expect("HELP", 214).lines[1:-1]}
        site = {line.split()[0] for line in client.expect("HELP SITE", 214).lines[1:-1]}
    told = set(" ".join(re.findall(r"^\.Cm ([A-Z0-9 ]+)$", text, re.M)).split())
    assert {"STOR", "RETR", "MLSD", "SITE"} <= said
    assert said <= told, said - told
    for verb in site - {"HELP"}:
        assert f".Cm SITE {verb} " in text or f".It Cm SITE {verb} " in text, verb


def test_commands_and_capabilities_of_chatd(instance):
    text = page("chatd.8")
    words = set(" ".join(re.findall(r"^\.Cm ([A-Za-z0-9 /-]+)$", text, re.M)).split())
    instance.account("chatter", PASSWORD)
    instance.ctl("user", "admin", "chatter", "on")
    with Irc(instance, "chatter", account=("chatter", PASSWORD)) as client:
        client.ask("OPER chatter x")
        commands = {m.text.split()[0] for m in only(client.ask("HELP"), "705")} - {"@+TAG"} | {"TAGMSG"}
        assert {"PRIVMSG", "KILL", "CHATHISTORY"} <= commands and commands <= words, commands - words
        caps = {cap.partition("=")[0] for m in only(client.ask("CAP LS 302"), "CAP") for cap in m.text.split()}
        assert {"sasl", "draft/chathistory"} <= caps and caps <= words, caps - words
        for limit in re.findall(r"(?:NICK|CHANNEL|TOPIC)LEN=(\d+)", str(client.ask("VERSION"))):
            assert re.search(rf"\b{limit}\b", text), limit


def test_commands_and_capabilities_of_maild(instance):
    text = page("maild.8")
    words = set(" ".join(re.findall(r"^\.Cm ([A-Za-z0-9 =+/-]+)$", text, re.M)).split())
    with Smtps(instance) as client:
        verbs = {line.split()[1] for line in client.expect("HELP", 214).lines[:-1]}
        extensions = {line.split()[0] for line in client.expect("EHLO x", 250).lines[1:]}
    assert {"MAIL", "BDAT"} <= verbs <= words and {"SIZE", "CHUNKING"} <= extensions <= words
    instance.account("mailer", PASSWORD)
    with Imap(instance, cert=instance.enroll("mailer", PASSWORD)) as client:  # EXTERNAL is for those with one
        (said,) = [a for a in client.ok("CAPABILITY") if a.startswith(b"* CAPABILITY ")]
        offered = {re.sub("=[0-9]+$", "", word) for word in said.decode().split()[2:]}
    told = set(text.partition(".Ss Capabilities")[2].partition(".Ss ")[0].replace(".Cm", "").split())
    assert {"IMAP4rev2", "QRESYNC"} <= offered == told, offered ^ told


def test_policies_of_chat_and_mail(host):
    for row in host.json("get"):
        for start, name in (("chat_", "chatd.8"), ("mail_", "maild.8")):
            if row["setting"].startswith(start):
                assert row["setting"] in page(name), row["setting"]


def test_units_and_settings_example_name_what_is_there():
    example = (TOP / "units/quintet.env.example").read_text()
    for name in re.findall(r"^#?(QUINTET_[A-Z_]+)=", example, re.M):
        assert name in page("quintet.7"), name
