"""A mail as it was sent, in RFC 822 with its parts and encodings: the standard library reads it."""

import re
from email import message_from_string
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import default
from typing import Final

from interlayer.documents.markup import seen

_ENCODED: Final = re.compile(
    r"(?im)^(?:mime-version:|content-type:\s*(?:text|multipart)/|content-transfer-encoding:\s*(?:quoted|base64|[78]bit))"
)
_HEAD: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]{0,60}:[^\n]*\n(?:[ \t][^\n]*\n)*){3,}")
_SHOWN: Final = ("From", "To", "Cc", "Subject", "Date")


def sent_text(content: str) -> str | None:
    """Return the head and the body of a mail as a reader sees them; None for what is no mail as it was sent."""
    head = _HEAD.match(content)
    if head is None or not _ENCODED.search(head[0]):
        return None
    try:
        message = message_from_string(content, _class=EmailMessage, policy=default)
        part = message.get_body(("plain", "html"))
        body = str(part.get_content()) if part else ""
        lines = [f"{name}: {message[name]}" for name in _SHOWN if message[name]]
    except (MessageError, LookupError, ValueError, AttributeError, TypeError):  # an odd mail is read as it stands
        return None
    if part and part.get_content_subtype() == "html":
        body = seen(body).text
    return "\n".join([*lines, "", body]) if body.strip() else None
