"""`interlayer store`: the tables of DynamoDB."""

import json

import anyio
import click

from interlayer import answers
from interlayer.app.commands.shell import AS_JSON, FAILED, settings_of
from interlayer.app.settings import Settings
from interlayer.errors import InvalidInput
from interlayer.storage.dynamodb.client import SETTING, Place


@click.group()
def store() -> None:
    """Create and check the tables of the serving layer on DynamoDB."""


@store.command("create")
@click.option("--kms-key", metavar="ARN", help="Encrypt with this KMS key; default: a key that AWS owns.")
@click.option("--no-protection", is_flag=True, help="Let the tables be deleted, as for a trial.")
@click.option("--no-recovery", is_flag=True, help="Do without point-in-time recovery, which costs by the size.")
@click.pass_context
def store_create(ctx: click.Context, kms_key: str | None, *, no_protection: bool, no_recovery: bool) -> None:
    """Create the three tables that INTERLAYER_STORE names, or bring those that are there into order."""
    place = _place(settings_of(ctx))
    from interlayer.storage.dynamodb.tables import Wish, create_tables

    wish = Wish(kms_key, protected=not no_protection, recoverable=not no_recovery)
    anyio.run(create_tables, place, wish, click.echo)


@store.command("check")
@AS_JSON
@click.pass_context
def store_check(ctx: click.Context, *, as_json: bool) -> int:
    """Check the tables and what the present role may do with them; exit 1 on a fault. Writes nothing."""
    settings = settings_of(ctx)
    place, organization = _place(settings), settings.principal.organization
    from interlayer.storage.dynamodb.tables import check_tables

    states = anyio.run(check_tables, place, organization)
    if as_json:
        click.echo(json.dumps(answers.as_json(states)))
    else:
        for one in states:
            click.echo(f"{'ok   ' if one.ok else 'FAULT'}  {one.name}: {one.detail}")
    return 0 if all(one.ok for one in states) else FAILED


def _place(settings: Settings) -> Place:
    if settings.store is None:
        raise InvalidInput(SETTING, "is sqlite, which needs no tables.", "Set dynamodb://TABLE_PREFIX?region=...")
    return settings.store
