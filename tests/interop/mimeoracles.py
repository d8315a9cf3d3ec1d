"""How others read messages: Python's email package and GMime, each as one plain description.

A description has the parts in their order as (depth, type, decoded body; None for what has parts inside),
the subject, the addresses of From and To as (name, address), and the date in seconds.
"""

import email
import email.policy
import email.utils

import gi

gi.require_version("GMime", "3.0")
from gi.repository import GMime  # noqa: E402

GMime.init()


# -- Python --------------------------------------------------------------------------------------


def python_parts(part, depth=0):
    kind = part.get_content_type()
    if part.get_content_maintype() == "multipart" or kind == "message/rfc822":
        if part.is_multipart():
            yield depth, kind, None
            for child in part.get_payload():
                yield from python_parts(child, depth + 1)
            return
    if part.is_multipart():  # message/delivery-status and the like
        yield depth, kind, None
        return
    yield depth, kind, part.get_payload(decode=True)


def python_date(value):
    try:
        return int(email.utils.parsedate_to_datetime(value).timestamp())
    except (TypeError, ValueError, AttributeError):
        return None


def by_python(data):
    message = email.message_from_bytes(data)
    modern = email.message_from_bytes(data, policy=email.policy.default)
    return {
        "parts": list(python_parts(message)),
        "subject": str(field(modern, "Subject") or ""),
        "from": addresses_by_python(field(modern, "From")),
        "to": addresses_by_python(field(modern, "To")),
        "date": python_date(message["Date"]),
    }


def field(message, name):
    """Python's parser of addresses is not without faults itself."""
    try:
        return message[name]
    except (IndexError, ValueError, email.errors.MessageError):
        return None


def addresses_by_python(found):
    return [(a.display_name, a.addr_spec) for a in found.addresses] if found is not None else []


# -- GMime ---------------------------------------------------------------------------------------


def gmime_body(part):
    content = part.get_content()
    if content is None:
        return b""
    out = GMime.StreamMem.new()
    content.write_to_stream(out)
    return bytes(out.get_byte_array())


def gmime_parts(part, depth=0):
    kind = part.get_content_type().get_mime_type().lower()
    if isinstance(part, GMime.Multipart):
        yield depth, kind, None
        for i in range(part.get_count()):
            yield from gmime_parts(part.get_part(i), depth + 1)
    elif isinstance(part, GMime.MessagePart):
        yield depth, kind, None
        inner = part.get_message()
        if inner is not None:
            yield from gmime_parts(inner.get_mime_part(), depth + 1)
    else:
        yield depth, kind, gmime_body(part)


def gmime_addresses(found):
    made = []
    for i in range(found.length() if found is not None else 0):
        one = found.get_address(i)
        if isinstance(one, GMime.InternetAddressGroup):
            made += gmime_addresses(one.get_members())
        else:
            made.append((one.get_name() or "", one.get_addr() or ""))
    return made


def by_gmime(data):
    """None: it reads no message there at all."""
    stream = GMime.StreamMem.new_with_buffer(data)
    message = GMime.Parser.new_with_stream(stream).construct_message(None)
    if message is None:
        return None
    date = message.get_date()
    return {
        "parts": list(gmime_parts(message.get_mime_part())),
        "subject": message.get_subject() or "",
        "from": gmime_addresses(message.get_from()),
        "to": gmime_addresses(message.get_to()),
        "date": date.to_unix() if date is not None else None,
    }
