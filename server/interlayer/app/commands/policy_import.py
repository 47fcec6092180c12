"""`interlayer policy import`: rule files that a team has already, as policies."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlayer.answers import as_json as json_of
from interlayer.app.commands.policy_control import policy
from interlayer.app.commands.shell import AS_JSON, echo
from interlayer.errors import InvalidInput

if TYPE_CHECKING:
    from interlayer_policies.rule_files.outcome import Imported, KeptObligation

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
    echo(as_json, [_row(one, into) for one in found], lambda: _print(found, into))


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


def _print(found: "Sequence[Imported]", into: Path) -> None:
    """Print what became of each rule file, and each rule with the line that it was."""
    from rich.console import Console
    from rich.text import Text

    from interlayer_policies.review.hidden_text import hidden_problems

    console = Console(soft_wrap=True)
    for one in found:
        if one.file is None:
            takes = f"all that it says is in {', '.join(one.includes)}" if one.includes else "empty"
            reason = f"the same text as {one.same_as}" if one.same_as else takes
            said = f"not read: {one.not_read}" if one.not_read else f"left out, {reason}"
            console.print(f"{one.source}: {said}", markup=False)
            continue
        scope = f"for tasks tagged {', '.join(one.tags)}" if one.tags else "for every call"
        held = "guidance only, for tasks that it is relevant to" if one.relevant_only else scope
        counts = f"{len(one.rules)} rules, {len(one.sections)} sections; {held}"
        console.print(Text(f"{one.source} -> {(into / one.file.path).as_posix()}: {counts}", style="bold"))
        if one.parameters:
            console.print(f"  give values under params: {', '.join(one.parameters)}", markup=False)
        for problem in hidden_problems(one.file):
            console.print(Text(f"  {problem}", style="bold red"))
        for rule in one.rules:
            console.print(f"  {rule.id} {rule.level} (line {rule.line}): {rule.text}", markup=False)
        for reason, kept in _by_reason(one.kept).items():
            console.print(f"  obliges and stays guidance, because {reason}:", markup=False)
            for sentence in kept:
                console.print(f"    {sentence.level} (line {sentence.line}): {sentence.text}", markup=False)
    console.print(
        f"Read the rules: each is delivered whenever its scope matches. Then `interlayer policy lint {into}`.",
        markup=False,
    )


def _by_reason(kept: "Sequence[KeptObligation]") -> "Mapping[str, list[KeptObligation]]":
    found: dict[str, list[KeptObligation]] = {}
    for one in kept:
        found.setdefault(one.reason, []).append(one)
    return found
