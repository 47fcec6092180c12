"""`interlayer schema`: look at, check and change what is remembered of entities."""

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from interlayer.app.commands.shell import FAILED, progress, run_async, settings_of
from interlayer.app.settings import Settings

if TYPE_CHECKING:
    from interlayer.app.composition import Parts
    from interlayer.memory.schema.schema import Schema

_FILE = click.argument("file", required=False, type=click.Path(path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def schema() -> None:
    """Look at, check and change the schema of memory."""


@schema.command("show")
@_JSON
@click.pass_context
def schema_show(ctx: click.Context, as_json: bool) -> None:
    """Print the configured schema: entity types, their properties and the kinds of identifier."""
    shown = _configured(settings_of(ctx))
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
@_JSON
@click.pass_context
def schema_plan(ctx: click.Context, file: Path | None, as_json: bool) -> None:
    """Show what applying FILE (default: the configured schema) would change and do to stored data; write nothing."""
    from interlayer.app.commands.output import print_schema_plan

    async def run(parts: "Parts", new: "Schema") -> None:
        organization = parts.settings.principal.organization
        plan = await parts.migrator.plan(organization, new, parts.domains.schema, progress("entities looked at"))
        if as_json:
            click.echo(json.dumps(plan.as_json(), indent=2, ensure_ascii=False))
        else:
            print_schema_plan(plan, applied=False)

    _with_stores(settings_of(ctx), file, run)


@schema.command("apply")
@_FILE
@click.option("--allow-breaking", is_flag=True, help="Apply changes after which stored values may count no more.")
@_JSON
@click.pass_context
def schema_apply(ctx: click.Context, file: Path | None, allow_breaking: bool, as_json: bool) -> None:
    """Bring stored data under the schema of FILE (default: the configured one); again, to complete what was cut off."""
    from interlayer.app.commands.output import print_schema_plan

    async def run(parts: "Parts", new: "Schema") -> None:
        done = await parts.migrator.apply(
            parts.settings.principal,
            new,
            parts.domains.schema,
            progress("entities looked at"),
            allow_breaking=allow_breaking,
        )
        if as_json:
            click.echo(json.dumps(done.as_json(), indent=2, ensure_ascii=False))
        else:
            print_schema_plan(done, applied=True)
        if new.digest != parts.domains.schema.digest:
            click.echo(f"Set INTERLAYER_SCHEMA to {file} and start the servers again.", err=True)

    _with_stores(settings_of(ctx), file, run)


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


def _configured(settings: Settings) -> "Schema":
    from interlayer.memory.schema.schema import read_schema, starter_schema

    return read_schema(settings.schema) if settings.schema else starter_schema()


def _with_stores(settings: Settings, file: Path | None, run: Callable[["Parts", "Schema"], Awaitable[None]]) -> None:
    """Run on the stores as they are: that the configured schema is not the one in force is what is to be mended."""
    from interlayer.app.composition import build
    from interlayer.memory.schema.schema import read_schema

    new = read_schema(file) if file else _configured(settings)

    async def command() -> None:
        parts = build(settings)
        try:
            await run(parts, new)
        finally:
            await parts.close()

    run_async(command)
