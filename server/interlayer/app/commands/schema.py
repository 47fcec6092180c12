"""`interlayer schema`: look at the schema, and make one."""

from pathlib import Path

import click


@click.group()
def schema() -> None:
    """Look at what is remembered of each type of entity, and change it."""


@schema.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--collection", "collections", multiple=True, metavar="NAME", help="Take this collection only; repeatable."
)
@click.option("--output", type=click.Path(path_type=Path), help="Write here instead of printing.")
def schema_import(file: Path, collections: tuple[str, ...], output: Path | None) -> None:
    """Turn a JSON FILE of property collections into a schema file."""
    from interlayer.memory.collections import schema_of

    text, notes = schema_of(file.read_text(encoding="utf-8"), str(file), collections)
    for note in notes:
        click.echo(note, err=True)
    if output is None:
        click.echo(text, nl=False)
        return
    output.write_text(text, encoding="utf-8")
    click.echo(f"wrote {output}; set INTERLAYER_SCHEMA={output} to use it", err=True)
