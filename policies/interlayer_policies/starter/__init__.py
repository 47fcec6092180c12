"""Starter policies of a business software company, shipped with the server: Markdown files beside this module."""

from importlib import resources

from interlayer_policies.document.policy import PolicyFile


def starter_files() -> list[PolicyFile]:
    """Return the starter policies by path."""
    folder = resources.files(__name__)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".md"))
    return [PolicyFile(name, folder.joinpath(name).read_text(encoding="utf-8")) for name in names]
