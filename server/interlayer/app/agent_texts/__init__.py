"""What a host's model is told so that it calls this server unasked: lines for a project's instructions, and a skill."""

from importlib import resources


def project_lines() -> str:
    """Return the lines for a project's instructions, as Markdown."""
    return resources.files(__name__).joinpath("project.md").read_text(encoding="utf-8")


def skill() -> str:
    """Return the agent skill: the text of its `SKILL.md`."""
    return resources.files(__name__).joinpath("SKILL.md").read_text(encoding="utf-8")
