"""`interlayer memory`: look at what is remembered."""

import json
import sys

import click

from interlayer.app.commands.shell import FAILED, run_async, settings_of


@click.group()
def memory() -> None:
    """Look at what is remembered."""


@memory.command("show")
@click.argument("entity")
@click.option("--history", is_flag=True, help="Show every observed value of each property.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def memory_show(ctx: click.Context, entity: str, history: bool, as_json: bool) -> None:
    """Print what is known of ENTITY (type:key)."""
    settings = settings_of(ctx)
    from interlayer.app.composition import opened
    from interlayer.app.printing import print_dossier
    from interlayer.memory.requests import PARTS, RECALL_MAX, TOKENS_MAX, RecallRequest

    include = [part for part in PARTS if part != "history" or history]

    async def run() -> None:
        async with opened(settings) as interlayer:
            request = RecallRequest(entity=entity, include=include, limit=RECALL_MAX, max_tokens=TOKENS_MAX)
            answer = await interlayer.domains.recaller.recall(settings.principal, request)
        if as_json:
            click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        else:
            print_dossier(answer)
        if not answer["found"]:
            sys.exit(FAILED)

    run_async(run)
