"""People with mail: an instance with maild and the authority, and a device for each account."""

import json

from device import Device
from instance import Instance

SERVICES = ("cad-signer", "cad", "cad-plain", "maild", "maild-submission")


class MailHouse:
    """Accounts with certificates on devices: house.ann, house["ann"]."""

    def __init__(self, *names):
        self.instance = Instance()
        self.devices = {}
        self.services = {name: self.instance.start(name) for name in SERVICES}
        for name in names:
            self.join(name)

    def join(self, name):
        self.instance.account(name, f"secret of {name}")
        self.devices[name] = self.device(name)

    def device(self, name):
        """One more device of that account."""
        made = Device()
        made.enroll(self.instance, name, f"secret of {name}")
        return made

    def __getitem__(self, name):
        return self.devices[name]

    def restart(self, *names):
        for name in names:
            self.services[name].stop()
            self.services[name] = self.instance.start(name)

    def mail(self, name, *args, **more):
        """What quintet mail prints."""
        return self.devices[name].out("mail", *args, **more)

    def json(self, name, *args, **more):
        return json.loads(self.mail(name, *args, "--json", **more))

    def send(self, sender, *to, subject, text="Hello.\n", more=()):
        return self.mail(sender, "send", "-s", subject, *more, *to, input=text)

    def find(self, name, subject, mailbox="INBOX"):
        """The row of the newest message with that subject."""
        rows = [row for row in self.json(name, "list", "-m", mailbox, "-n", "1000")
                if row["subject"] == subject]
        assert rows, f"no {subject!r} in {mailbox} of {name}"
        return rows[-1]

    def uid(self, name, subject, mailbox="INBOX"):
        return self.find(name, subject, mailbox)["uid"]

    def read(self, name, subject, *more, mailbox="INBOX"):
        (letter,) = self.json(name, "read", "-m", mailbox, *more, self.uid(name, subject, mailbox))
        return letter

    def close(self):
        for device in self.devices.values():
            device.close()
        self.instance.close()
