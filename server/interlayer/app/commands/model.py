"""`interlayer model`: which chat model reads content, chosen for the whole organization without a restart."""

import json
from typing import TYPE_CHECKING

import click

from interlayer import answers
from interlayer.app.commands.shell import AS_JSON, with_process

if TYPE_CHECKING:
    from interlayer.app.composition import Parts
    from interlayer.memory.extraction.model_choice import Choice


@click.group()
def model() -> None:
    """Show and choose the chat model that reads content; every process obeys within a second."""


@model.command("show")
@AS_JSON
@with_process
async def model_show(parts: "Parts", as_json: bool) -> None:
    """Print the model in force, who has set it, what it took today, and how much is still to be read."""
    organization = parts.settings.principal.organization
    choice = await parts.models.chosen(organization)
    used = await parts.models.spending(organization).today()
    pending = len(await parts.memory.rereader.backlog.notes(organization))
    if as_json:
        shown = {
            "models": list(choice.settings.models),
            "api_base": choice.settings.api_base or "",
            "chosen_by": "organization" if choice.stored else "INTERLAYER_MODEL",
            "today": answers.as_json(used),
            "pending": pending,
        }
        click.echo(json.dumps(shown, indent=2))
        return
    click.echo(f"{_label(choice)} ({'chosen for the organization' if choice.stored else 'INTERLAYER_MODEL'})")
    click.echo(f"today: {used.calls} calls, {used.tokens} tokens, {used.cost:.4f} US dollars")
    click.echo(f"still to be read: {pending} contents")


@model.command("set")
@click.argument("models", metavar="MODEL[,MODEL...]")
@click.option("--api-base", metavar="URL", help="Address of a self-hosted model; without it the provider's own.")
@with_process
async def model_set(parts: "Parts", models: str, api_base: str | None) -> None:
    """Choose the model for the organization; further ones are asked when the first does not answer. `none` is off.

    API keys are not stored: each server takes them from its environment.
    """
    choice = await parts.models.choose(parts.settings.principal, models, api_base)
    click.echo(f"{_label(choice)}, from the next call on")


@model.command("unset")
@with_process
async def model_unset(parts: "Parts") -> None:
    """Go back to what each server is set to by INTERLAYER_MODEL."""
    choice = await parts.models.forget_choice(parts.settings.principal)
    click.echo(f"{_label(choice)}, as INTERLAYER_MODEL says")


def _label(choice: "Choice") -> str:
    settings = choice.settings
    where = f" at {settings.api_base}" if settings.api_base and settings.models else ""
    return (", then ".join(settings.models) or "none") + where
