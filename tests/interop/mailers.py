"""Sending for the tests of mail: letters, and smtplib logged in."""

import base64
import smtplib
import ssl

from imaps import PASSWORD


def letter(sender, recipient, subject, body="Hello, you there.", more=""):
    """A message as text, CR LF."""
    return (f"From: {sender}@quintet.test\r\nTo: {recipient}@quintet.test\r\nSubject: {subject}\r\n{more}\r\n"
            f"{body}\r\n")


class Smtp(smtplib.SMTP_SSL):
    """Connected to the submission door and logged in by PLAIN."""

    def __init__(self, instance, name, password=PASSWORD):
        context = ssl.create_default_context(cafile=str(instance.root_pem))
        super().__init__("localhost", instance.ports["submissions"], timeout=60, context=context)
        self.ehlo("test")
        token = base64.b64encode(f"\0{name}\0{password}".encode()).decode()
        code, said = self.docmd("AUTH", f"PLAIN {token}")
        assert code == 235, said


def smtp_send(instance, sender, recipient, subject, **more):
    """One letter between accounts."""
    with Smtp(instance, sender) as smtp:
        smtp.sendmail(f"{sender}@quintet.test", [f"{recipient}@quintet.test"],
                      letter(sender, recipient, subject, **more))
