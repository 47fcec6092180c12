"""`interlayer policy import`: rule files that a team has already, as policies."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlayer.answers import as_json as json_of
from interlayer.app.commands.policy_control import policy
from interlayer.app.commands.shell import AS_JSON, echo
from interlayer.errors import InvalidInput

if TYPE_CHECKING:
    from interlayer_policies.rule_files.outcome import Imported

__all__ = ["policy"]


@policy.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--into", type=click.Path(path_type=Path), default=Path("policies"), show_default=True, help="Folder.")
@click.option("--force", is_flag=True, help="Overwrite policies that are there already.")
@AS_JSON
def policy_import(source: Path, into: Path, force: bool, as_json: bool) -> None:
    """Turn AGENTS.md, CLAUDE.md, .cursor/rules or a folder of Markdown into policies; publishes nothing.

    SOURCE is a file, the root of a repository, or a folder. Sentences that oblige become rules; those that stay
    guidance are listed with the reason.
    """
    from interlayer.app.commands.policy_output import print_imported
    from interlayer_policies.rule_files.conversion import imported
    from interlayer_policies.rule_files.search import find_rule_files

    found = imported(find_rule_files(source, into))
    files = [one.file for one in found if one.file]
    there = [file.path for file in files if (into / file.path).exists()]
    if there and not force:
        named = ", ".join(there[:5])
        raise InvalidInput("into", f"{into} holds {named} already.", "Nothing was written; --force overwrites them.")
    for file in files:
        target = into / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(file.text, encoding="utf-8", newline="\n")
    echo(as_json, [_row(one, into) for one in found], lambda: print_imported(found, into))


def _row(one: "Imported", into: Path) -> dict[str, Any]:
    from interlayer_policies.review.hidden_text import hidden_problems

    return {
        "source": one.source,
        "policy": (into / one.file.path).as_posix() if one.file else None,
        "title": one.title,
        "tags": list(one.tags),
        "relevant_only": one.relevant_only,
        "rules": [{"id": r.id, "level": r.level, "line": r.line, "text": r.text} for r in one.rules],
        "obliges_as_guidance": [json_of(kept) for kept in one.kept],
        "sections": list(one.sections),
        "includes": list(one.includes),
        "parameters": list(one.parameters),
        "hidden": [str(problem) for problem in hidden_problems(one.file)] if one.file else [],
        "not_read": one.not_read or None,
        "same_as": one.same_as or None,
    }
