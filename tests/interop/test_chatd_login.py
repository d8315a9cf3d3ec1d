"""Getting into chat: capabilities, NICK and USER, SASL, PASS, certificates, REGISTER, and who is not
let in and told why."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization

from instance import Instance
from forge import Authority, issuer_of, pem, sign
from ircrooms import guest, house, params  # noqa: F401
from ircs import PASSWORD, Irc, name, one, only, verbs


@pytest.fixture(scope="module")
def strict():
    """A house where one must have an account, and may make one with an invite."""
    own = Instance()
    for who in ("ann", "cat", "dan"):
        own.account(who, PASSWORD)
    own.start_signer()
    own.start("cad")
    own.cert = own.enroll("cat", PASSWORD)
    own.start("chatd")
    yield own
    own.close()


def plain(*parts):
    return base64.b64encode("\0".join(parts).encode()).decode()


def pieces(text):
    """As AUTHENTICATE wants it: of 400 bytes, the last one shorter."""
    cut = [text[at:at + 400] for at in range(0, len(text), 400)]
    return [f"AUTHENTICATE {piece}" for piece in cut + ["+"] * (len(cut[-1]) == 400)]


# -- capabilities ---------------------------------------------------------------------------------


def test_cap_ls_has_values_for_those_who_know_them(house):
    with Irc(house) as a:
        old = one(a.ask("CAP LS"), "CAP")
        assert old.params[:2] == ["*", "LS"] and "=" not in old.text and "sasl" in old.text.split()
        new = only(a.ask("CAP LS 302"), "CAP")
        caps = dict(c.partition("=")[::2] for m in new for c in m.text.split())
        assert all(m.params[2] == "*" for m in new[:-1]) and len(new[-1].params) == 3
        assert caps["sasl"] == "PLAIN,EXTERNAL"
        assert set(caps) == set(old.text.split())


def test_cap_req_is_all_or_nothing(house):
    with Irc(house) as a:
        got = only(a.ask("CAP REQ :batch no-such", "CAP LIST", "CAP REQ :batch echo-message",
                         "CAP REQ :-batch", "CAP LIST", "CAP NONSENSE"), "CAP", "410")
        assert [m.params[1:] for m in got] == [
            ["NAK", "batch no-such"], ["LIST", ""], ["ACK", "batch echo-message"], ["ACK", "-batch"],
            ["LIST", "echo-message"], ["NONSENSE", got[-1].text]]


def test_negotiation_holds_registration_up(house):
    nick = name()
    with Irc(house) as a:
        assert "001" not in verbs(a.ask("CAP LS 302", f"NICK {nick}", "USER u 0 * :r"))
        a.send("CAP END")
        assert a.until("001")[-1].params[0] == nick


# -- nick and user --------------------------------------------------------------------------------


def test_what_is_said_before_registration(house):
    with Irc(house) as a:
        got = a.ask("JOIN #x", "NICK", "NICK 1a", "USER a b", "USER a 0 * :", "NOSUCH")
        assert [(m.verb, m.params[0]) for m in got] == [
            ("451", "*"), ("431", "*"), ("432", "*"), ("461", "*"), ("461", "*"), ("451", "*")]


def test_welcome(guest):
    got = guest().welcome
    assert [m.verb for m in got[:4]] == ["001", "002", "003", "004"]
    tokens = dict(t.partition("=")[::2] for p in params(got, "005") for t in p[1:-1])
    assert all(len(p) <= 15 for p in params(got, "005"))
    assert tokens["CASEMAPPING"] == "ascii" and tokens["PREFIX"] == "(ohv)@%+"
    assert tokens["CHANMODES"] == "beI,k,l,CRimnst" and "UTF8ONLY" in tokens
    assert {"251", "255", "265", "422"} <= set(verbs(got))


def test_a_nick_in_use_can_be_chosen_anew(house, guest):
    taken, free = guest().nick, name()
    with Irc(house) as a:
        got = a.ask(f"NICK {taken.upper()}", "USER u 0 * :r")
        assert one(got, "433").params[:2] == ["*", taken.upper()]
        a.send(f"NICK {free}")
        assert a.until("001")[-1].params[0] == free
        a.sync()
        assert verbs(a.ask("USER u 0 * :r", "PASS x")) == ["462", "462"]


def test_nobody_is_called_as_anothers_account(house):
    with Irc(house) as a:
        assert "433" in verbs(a.ask("NICK Ann", "USER u 0 * :r"))


# -- sasl -----------------------------------------------------------------------------------------


def test_plain(house):
    with Irc(house) as a:
        got = a.ask("CAP REQ sasl", "AUTHENTICATE PLAIN", f"AUTHENTICATE {plain('ann', 'ANN', PASSWORD)}")
        assert verbs(got) == ["CAP", "AUTHENTICATE", "900", "903"]
        assert one(got, "900").params[:3] == ["*", "*!*@*", "ann"]


@pytest.mark.parametrize("answer, numeric, text", [
    (plain("", "ann", "wrong"), "904", "name or password is wrong"),
    (plain("", "nobody", PASSWORD), "904", "name or password is wrong"),
    (plain("bob", "ann", PASSWORD), "904", "nobody acts for another"),
    (plain("", "ann"), "904", "malformed"),
    (plain("", "ann@de vice", PASSWORD), "904", "device"),
    ("!!!", "904", "base64"),
    ("A" * 401, "905", "too long"),
    ("*", "906", "aborted"),
])
def test_refused_and_tried_again(house, answer, numeric, text):
    with Irc(house) as a:
        got = a.ask("AUTHENTICATE PLAIN", f"AUTHENTICATE {answer}")
        assert verbs(got) == ["AUTHENTICATE", numeric] and text in got[-1].text
        assert verbs(a.authenticate(("ann", PASSWORD)))[-2:] == ["900", "903"]


def test_mechanisms(house):
    with Irc(house) as a:
        got = a.ask("AUTHENTICATE NONE")
        assert verbs(got) == ["908", "904"] and got[0].params[1] == "PLAIN,EXTERNAL"


@pytest.mark.parametrize("length", [292, 592])
def test_messages_in_pieces(house, length):
    """What ends with a whole piece ends with an empty one."""
    who, password = name(), "p" * length
    house.account(who, password)
    text = plain(who, who, password)
    with Irc(house) as a:
        assert verbs(a.ask("AUTHENTICATE PLAIN", *pieces(text)))[-2:] == ["900", "903"]


def test_a_message_without_end(house):
    with Irc(house) as a:
        got = a.ask("AUTHENTICATE PLAIN", *["AUTHENTICATE " + "A" * 400] * 5)
        assert "904" in verbs(got) and "too long" in one(got, "904").text


def test_registration_ends_what_was_begun(house):
    with Irc(house) as a:
        got = a.ask("AUTHENTICATE PLAIN", f"NICK {name()}", "USER u 0 * :r")
        assert {"906", "001"} <= set(verbs(got)) and "900" not in verbs(got)


def test_logging_in_later_and_again(house, guest):
    """The others see the new account and host; the nick stays."""
    watcher = guest(("account-notify", "chghost", "extended-join"))
    a = guest(("sasl",))
    for who in (a, watcher):
        who.join("#late")
    for account in ("ann", "bob"):
        assert verbs(a.authenticate((account, PASSWORD)))[-1] == "903"
        a.sync()
        seen = watcher.sync()
        assert only(seen, "ACCOUNT")[-1].params == [account]
        assert only(seen, "CHGHOST")[-1].params == ["user", f"user.{account}"]
    assert ["a", a.nick, "bob"] == ["a", *params(watcher.ask(f"WHOIS {a.nick}"), "330")[0][1:3]]


# -- certificates ---------------------------------------------------------------------------------


def test_external(strict):
    nick = name()
    with Irc(strict, nick, account="certificate", cert=strict.cert) as a:
        assert params(a.ask(f"WHOIS {nick}"), "330")[0][1:3] == [nick, "cat"]


def test_a_certificate_logs_in_by_itself(strict):
    with Irc(strict, name(), cert=strict.cert) as a:
        assert params(a.ask(f"WHOIS {a.nick}"), "330")[0][2] == "cat"


def test_no_certificate(strict):
    with Irc(strict) as a:
        got = a.ask("AUTHENTICATE EXTERNAL", "AUTHENTICATE +")
        assert "no certificate was shown" in one(got, "904").text


def test_a_certificate_is_nobody_elses(strict):
    with Irc(strict, cert=strict.cert) as a:
        other = base64.b64encode(b"ann").decode()
        got = a.ask("AUTHENTICATE EXTERNAL", f"AUTHENTICATE {other}")
        assert "another account" in one(got, "904").text


def test_a_revoked_certificate_says_so_and_stops_no_password(strict):
    cert = strict.enroll("dan", PASSWORD)
    with Irc(strict, name(), account="certificate", cert=cert) as held:
        (listed,) = json.loads(strict.ctl("--json", "cert", "list", "--account", "dan").stdout)
        strict.ctl("cert", "revoke", listed["serial"])
        end = held.rest()[-1]
        assert end.verb == "ERROR" and "no longer valid" in end.text
    with Irc(strict, cert=cert) as a:
        got = a.ask("AUTHENTICATE EXTERNAL", "AUTHENTICATE +")
        assert "revoked" in one(got, "904").text
        assert a.authenticate(("dan", PASSWORD))[-1].verb == "903"


def test_requests_of_calls_are_stamped_while_the_key_holds(strict):
    """By password the session lives on, but it no longer vouches for a certificate that is revoked."""
    strict.account("fay", PASSWORD)
    cert = strict.enroll("fay", PASSWORD)
    request = "DCC SCHAT chat 0 0 00112233445566778899aabbccddeeff"
    with Irc(strict, name(), ("message-tags", "quintet/calls"), account=("ann", PASSWORD)) as ann, \
            Irc(strict, "fay", account=("fay", PASSWORD), cert=cert) as fay:
        ask = f"PRIVMSG {ann.nick} :\x01{request}\x01"
        fay.ask(ask)
        assert len(one(ann.sync(), "PRIVMSG").tags["quintet/key"]) == 64
        (listed,) = json.loads(strict.ctl("--json", "cert", "list", "--account", "fay").stdout)
        strict.ctl("cert", "revoke", listed["serial"])
        fay.ask(ask)
        assert "quintet/key" not in one(ann.sync(), "PRIVMSG").tags


def foreign(folder, account, pair):
    """The key of a pair, in a certificate of another authority."""
    authority, made = Authority(), folder / "foreign.pem"
    key = serialization.load_pem_private_key(pair[0].read_bytes(), None)
    made.write_bytes(pem(authority.user(account, key.public_key())) + pem(authority.issuing))
    return pair[0], made


def test_the_904_says_why(strict, tmp_path):
    """And whatever is wrong with it, a password is taken."""
    strict.account("eli", PASSWORD)
    locked = strict.enroll("eli", PASSWORD)
    strict.ctl("user", "lock", "eli")
    issuer = issuer_of(strict)
    for folder in ("old", "unknown"):
        (tmp_path / folder).mkdir()
    for cert, why in ((sign(tmp_path / "old", "cat", *issuer, days=(-2, -1)), "has expired"),
                      (sign(tmp_path / "unknown", "cat", *issuer), "not one of this authority"),
                      (foreign(tmp_path, "cat", strict.cert), "issuer"),
                      (locked, "locked or gone")):
        with Irc(strict, cert=cert) as a:
            got = a.ask("AUTHENTICATE EXTERNAL", "AUTHENTICATE +")
            assert why in one(got, "904").text, got
            assert a.authenticate(("ann", PASSWORD))[-1].verb == "903"


def test_a_certificate_waits_to_be_used(strict):
    """Where the house wants that it be asked for."""
    strict.ctl("set", "chat_auto_login", "no")
    try:
        with Irc(strict, cert=strict.cert) as a:
            a.send(f"NICK {name()}", "USER u 0 * :r")
            assert one(a.rest(), "FAIL").params[1] == "ACCOUNT_REQUIRED"
        with Irc(strict, name(), account="certificate", cert=strict.cert) as a:
            assert params(a.ask(f"WHOIS {a.nick}"), "330")[0][2] == "cat"
    finally:
        strict.ctl("set", "--default", "chat_auto_login")


# -- who is not let in ----------------------------------------------------------------------------


def test_an_account_is_needed(strict):
    with Irc(strict) as a:
        a.send(f"NICK {name()}", "USER u 0 * :r")
        got = a.rest()
        assert "001" not in verbs(got) and got[-1].verb == "ERROR"
        fail = one(got, "FAIL")
        assert fail.params[:2] == ["*", "ACCOUNT_REQUIRED"] and "SASL" in fail.text


@pytest.mark.parametrize("given", [f"ann:{PASSWORD}", f"ann@phone:{PASSWORD}"])
def test_pass(strict, given):
    nick = name()
    with Irc(strict) as a:
        a.send(f"PASS :{given}", f"NICK {nick}", "USER u 0 * :r")
        a.until("001")
        assert params(a.ask(f"WHOIS {nick}"), "330")[0][2] == "ann"


def test_a_wrong_pass(strict):
    with Irc(strict) as a:
        a.send("PASS ann:wrong", f"NICK {name()}", "USER u 0 * :r")
        assert verbs(a.rest()) == ["464", "ERROR"]


def test_the_word_of_the_house(strict):
    strict.ctl("set", "chat_password", "open sesame")
    try:
        assert "open sesame" not in strict.ctl("get").stdout + strict.ctl("audit").stdout
        with Irc(strict) as a:
            assert a.authenticate(("ann", PASSWORD))[-1].verb == "903"
            a.send("PASS :open sesame", f"NICK {name()}", "USER u 0 * :r")
            a.until("001")
        with Irc(strict) as a:
            a.send(f"NICK {name()}", "USER u 0 * :r")
            assert verbs(a.rest()) == ["464", "ERROR"]
    finally:
        strict.ctl("set", "--default", "chat_password")


# -- REGISTER -------------------------------------------------------------------------------------


def test_register_with_an_invite(strict):
    who = name()
    token = strict.ctl("invite", "--name", who).stdout.split()[1]
    with Irc(strict) as a:
        caps = only(a.ask("CAP LS 302"), "CAP")
        value = [c for m in caps for c in m.text.split() if c.startswith("draft/account-reg")][0]
        assert value.partition("=")[2].split(",") == [
            "before-connect", "custom-account-name", "email-required"]
        refused = one(a.ask(f"REGISTER {who} * :{PASSWORD}"), "FAIL")
        assert refused.params[:3] == ["REGISTER", "INVALID_EMAIL", who]
        got = a.ask(f"REGISTER {who} {token} :{PASSWORD}")
        assert one(got, "REGISTER").params[:2] == ["SUCCESS", who] and one(got, "900").params[2] == who
        a.send(f"NICK {who}", "USER u 0 * :r", "CAP END")
        assert a.until("001")[-1].params[0] == who


@pytest.mark.parametrize("account, password, code", [
    ("ann", PASSWORD, "ACCOUNT_EXISTS"),
    ("9lives", PASSWORD, "BAD_ACCOUNT_NAME"),
    ("root", PASSWORD, "BAD_ACCOUNT_NAME"),
    ("newcomer", "short", "WEAK_PASSWORD"),
])
def test_register_refused(house, guest, account, password, code):
    house.ctl("set", "signup", "open")
    got = guest().ask(f"REGISTER {account} * :{password}")
    assert one(got, "FAIL").params[:3] == ["REGISTER", code, account]


def test_register_the_nick(house, guest):
    house.ctl("set", "signup", "open")
    a, b = guest(), guest()
    assert one(b.ask(f"REGISTER {a.nick} * :{PASSWORD}"), "FAIL").params[1] == "ACCOUNT_EXISTS"
    assert one(a.ask(f"REGISTER * * :{PASSWORD}"), "REGISTER").params[:2] == ["SUCCESS", a.nick]
    assert one(a.ask(f"REGISTER x * :{PASSWORD}"), "FAIL").params[1] == "ALREADY_AUTHENTICATED"


def test_register_not_so_early(house):
    house.ctl("set", "chat_register_early", "no")
    try:
        with Irc(house) as a:
            got = a.ask(f"NICK {name()}", f"REGISTER * * :{PASSWORD}")
            assert one(got, "FAIL").params[1] == "COMPLETE_CONNECTION_REQUIRED"
    finally:
        house.ctl("set", "--default", "chat_register_early")
