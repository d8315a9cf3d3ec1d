"""Messages made for the tests of MIME: well-formed ones of every kind by Python's email package, and hand-made
ones with what goes wrong in mail."""

import datetime
import email.policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

TEXTS = {
    "us-ascii": "The quick brown fox.\nSecond line\n",
    "utf-8": "Grüße, привет, 日本語 😀\n.\nFrom here\n",
    "iso-8859-1": "Grüße aus München: £5\n",
    "iso-8859-15": "Preis: 5 €\n",
    "iso-8859-2": "Zażółć gęślą jaźń\n",
    "windows-1251": "Привет, мир\n",
    "koi8-r": "Съешь ещё этих булок\n",
    "iso-2022-jp": "日本語のメール\n",
    "shift_jis": "こんにちは\n",
    "euc-kr": "안녕하세요\n",
    "gb2312": "中文邮件\n",
    "big5": "繁體中文\n",
}
WORDS = ["hello", "Re:", "[list]", "grün", "日本", "привет", "a=b?", "x" * 40, "😀", "\"q\"", "(c)", "München,"]
NAMES = ["Bob B", "Jörg Müller", "O'Neil, \"Q\"", "日本 太郎", "", "a.b", "Привет Мир"]
FILES = ["a.txt", "grün & blau.pdf", "日本語.doc", "x" * 90 + ".bin", "q\"uote.png", "a;b=c.txt", "привет " * 12]


def text_part(rng):
    charset = rng.choice(list(TEXTS))
    part = EmailMessage(policy=email.policy.SMTP)
    cte = rng.choice(["quoted-printable", "base64"])
    if charset in ("us-ascii", "iso-2022-jp") and rng.random() < 0.5:
        cte = "7bit"
    part.set_content(TEXTS[charset] * rng.randint(1, 5), subtype=rng.choice(["plain", "html"]), charset=charset,
                     cte=cte)
    return part


def binary_part(rng):
    part = EmailMessage(policy=email.policy.SMTP)
    part.set_content(rng.randbytes(rng.randint(0, 300)), "application", "octet-stream",
                     disposition=rng.choice(["attachment", "inline"]), filename=rng.choice(FILES))
    return part


def part_of(rng, depth):
    pick = rng.random()
    if depth > 3 or pick < 0.4:
        return text_part(rng)
    if pick < 0.6:
        return binary_part(rng)
    part = EmailMessage(policy=email.policy.SMTP)
    if pick < 0.75:
        part.set_content(message(rng, depth + 1))
        return part
    part["Content-Type"] = "multipart/" + rng.choice(["mixed", "alternative", "related", "digest", "report"])
    for _ in range(rng.randint(1, 4)):
        part.attach(part_of(rng, depth + 1))
    return part


def some_addresses(rng):
    return [Address(rng.choice(NAMES), rng.choice(["bob", "j.x", "a+b", "x y"]), "host%d.test" % rng.randint(0, 9))
            for _ in range(rng.randint(1, 6))]


def message(rng, depth=0):
    made = part_of(rng, depth)
    made["Subject"] = " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 12)))
    made["From"] = some_addresses(rng)[0]
    made["To"] = some_addresses(rng)
    zone = datetime.timezone(datetime.timedelta(minutes=30 * rng.randint(-24, 26)))
    made["Date"] = format_datetime(datetime.datetime.fromtimestamp(rng.randint(0, 2**32), zone))
    made["Message-ID"] = "<%d@host.test>" % rng.randint(0, 2**60)
    return made


BROKEN = {
    "no blank line": b"Subject: a\r\nnot a field\r\n",
    "body only": b"\r\nbody\r\n",
    "bare LF": b"Subject: a\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\none\n--x\n\ntwo\n--x--\n",
    "no end": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\none\r\n--x\r\n\r\ntwo\r\n",
    "boundary with blanks": b"Content-Type: multipart/mixed; boundary=\"x y \"\r\n\r\n--x y \r\n\r\none\r\n--x y--\r\n",
    "text behind the end": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\none\r\n--x--\r\n--x\r\n\r\nno\r\n",
    "outer boundary ends inner": b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/mixed;"
    b" boundary=b\r\n\r\n--b\r\n\r\none\r\n--a\r\n\r\ntwo\r\n--a--\r\n",
    "boundary begins another": b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/mixed;"
    b" boundary=ab\r\n\r\n--ab\r\n\r\none\r\n--ab--\r\n--a\r\n\r\ntwo\r\n--a--\r\n",
    "empty parts": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n\r\n--x\r\n\r\n--x--\r\n",
    "bad base64": b"Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\naGVs*bG8=\r\n",
    "quoted-printable": b"Content-Transfer-Encoding: quoted-printable\r\n\r\na=3Db=\r\nc=\r\nd\r\n=E4=\r\n",
    "unknown encoding": b"Content-Type: a/b\r\nContent-Transfer-Encoding: x-what\r\n\r\nabc\r\n",
    "bad type": b"Content-Type: nonsense\r\n\r\nabc\r\n",
    "comments in type": b"Content-Type: text/html (what) ; charset=utf-8 (it is)\r\n\r\nabc\r\n",
    "date with comments": b"Date: Thu, 13 Feb 1969 23:32:54 -0330 (Newfoundland Time)\r\n\r\n",
    "old date": b"Date: 21 Nov 97 09:55:06 GMT\r\n\r\n",
    "routes and groups": b"To: A: <@r,@s:b@c>, d@e (f);, \"g\\\"h\" <i@j>\r\n\r\n",
    "folded": b"Subject: one\r\n two\r\n\tthree\r\nFrom: a\r\n <b@c>\r\n\r\n",
    "words": b"Subject: =?utf-8?q?a_b?= =?iso-8859-1?b?/A==?= plain =?utf-8?q?=C3=BC?=\r\n\r\n",
    "digest": b"Content-Type: multipart/digest; boundary=x\r\n\r\n--x\r\n\r\nSubject: in\r\n\r\nbody\r\n--x--\r\n",
}
