"""`interlayer schema`: look at, check and change what is remembered of entities."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from interlayer.app.commands.shell import AS_JSON, FAILED, echo, progress, settings_of, with_stores

if TYPE_CHECKING:
    from interlayer.app.composition import Parts
    from interlayer.memory.migration.plan import SchemaPlan
    from interlayer.memory.schema.schema import Schema

_FILE = click.argument("file", required=False, type=click.Path(path_type=Path))


@click.group()
def schema() -> None:
    """Look at, check and change the schema of memory."""


@schema.command("show")
@AS_JSON
@click.pass_context
def schema_show(ctx: click.Context, as_json: bool) -> None:
    """Print the configured schema: entity types, their properties and the kinds of identifier."""
    from interlayer.memory.schema.schema import read_schema, starter_schema

    path = settings_of(ctx).schema
    shown = read_schema(path) if path else starter_schema()
    if as_json:
        click.echo(json.dumps(shown.model_dump(mode="json", exclude_defaults=True), indent=2, ensure_ascii=False))
        return
    from interlayer.app.commands.output import print_schema

    print_schema(shown)


@schema.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def schema_check(file: Path) -> None:
    """Check the schema of FILE; every mistake is a line `file:line: place: problem`, and then exit 1."""
    from interlayer.errors import InvalidInput
    from interlayer.memory.schema.schema import read_schema

    try:
        found = read_schema(file)
    except InvalidInput as error:
        click.echo(str(error))
        sys.exit(FAILED)
    properties = sum(len(entity.properties) for entity in found.entities.values())
    click.echo(f"{file}: {len(found.entities)} entity types, {properties} properties, no mistake")


@schema.command("plan")
@_FILE
@AS_JSON
def schema_plan(file: Path | None, as_json: bool) -> None:
    """Show what applying FILE (default: the configured schema) would change and do to stored data; write nothing."""
    from interlayer.app.commands.output import print_schema_plan

    plan = _plan(_read(file))
    echo(as_json, plan.report(), lambda: print_schema_plan(plan, applied=False))


@schema.command("apply")
@_FILE
@click.option("--allow-breaking", is_flag=True, help="Apply changes after which stored values may count no more.")
@AS_JSON
def schema_apply(file: Path | None, allow_breaking: bool, as_json: bool) -> None:
    """Bring stored data under the schema of FILE (default: the configured one); again, to complete what was cut off."""
    from interlayer.app.commands.output import print_schema_plan

    done, configured = _apply(_read(file), allow_breaking)
    echo(as_json, done.report(), lambda: print_schema_plan(done, applied=True))
    if not configured:
        click.echo(f"Set INTERLAYER_SCHEMA to {file} and start the servers again.", err=True)


@schema.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--collection", "collections", multiple=True, metavar="NAME", help="Take this collection only; repeatable."
)
@click.option("--output", type=click.Path(path_type=Path), help="Write here instead of printing.")
def schema_import(file: Path, collections: tuple[str, ...], output: Path | None) -> None:
    """Turn a JSON FILE of property collections into a schema file."""
    from interlayer.memory.schema.collection_import import schema_of

    text, notes = schema_of(file.read_text(encoding="utf-8"), str(file), collections)
    for note in notes:
        click.echo(note, err=True)
    if output is None:
        click.echo(text, nl=False)
        return
    output.write_text(text, encoding="utf-8")
    click.echo(f"wrote {output}; set INTERLAYER_SCHEMA={output} to use it", err=True)


def _read(file: Path | None) -> "Schema | None":
    from interlayer.memory.schema.schema import read_schema

    return read_schema(file) if file else None


# On the stores as they are: that the configured schema is not the one in force is what is to be mended.


@with_stores
async def _plan(parts: "Parts", new: "Schema | None") -> "SchemaPlan":
    configured, show = parts.memory.schema, progress("entities looked at")
    return await parts.memory.migrator.plan(parts.settings.principal.organization, new or configured, configured, show)


@with_stores
async def _apply(parts: "Parts", new: "Schema | None", allow_breaking: bool) -> "tuple[SchemaPlan, bool]":
    """Apply a schema; also say whether it is the configured one."""
    configured, show = parts.memory.schema, progress("entities looked at")
    new = new or configured
    apply = parts.memory.migrator.apply
    done = await apply(parts.settings.principal, new, configured, show, allow_breaking=allow_breaking)
    return done, new.digest == configured.digest
