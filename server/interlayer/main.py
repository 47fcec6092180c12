"""The command line. Commands import what they need when they run, so that `--help` and `serve` start fast."""

import gc
import json
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import anyio
import click

from interlayer import __version__
from interlayer.app.settings import Settings, load
from interlayer.errors import InterlayerError

_FAILED = 1


class _Commands(click.Group):
    """A group whose commands end in one line, and not in a stack trace, when something anticipated goes wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except InterlayerError as error:
            _stop(str(error), error)
        except (OSError, BaseExceptionGroup) as error:
            _stop(_first_message(error), error)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, a user is not shown a stack trace
            _stop(
                f"unexpected {_first_message(error)}. With INTERLAYER_DEBUG=1 the trace is shown; please report it",
                error,
            )


def _stop(message: str, error: BaseException) -> None:
    if os.environ.get("INTERLAYER_DEBUG"):
        raise error
    click.echo(f"interlayer: {message}", err=True)
    sys.exit(_FAILED)


def _progress(facts: int) -> None:
    """Show how many facts were compared, on one line of a terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r{facts:,} facts compared", nl=False, err=True)


def _first_message(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="interlayer")
@click.option("--home", metavar="DIR", help="Folder of the embedded stores (INTERLAYER_HOME).")
@click.option("--org", metavar="NAME", help="Organization of the local caller (INTERLAYER_ORG).")
@click.option("--agent", metavar="NAME", help="Agent name of the local caller (INTERLAYER_AGENT).")
@click.pass_context
def cli(ctx: click.Context, home: str | None, org: str | None, agent: str | None) -> None:
    """One entity memory and one governance for every agent of an organization, over MCP.

    Begin with `interlayer demo`, then `interlayer install claude-code`.
    """
    ctx.obj = {"HOME": home, "ORG": org, "AGENT": agent}


def _settings(ctx: click.Context) -> Settings:
    flags: Mapping[str, str | None] = ctx.obj
    settings = load(flags)
    logging.basicConfig(stream=sys.stderr, level=settings.log_level, format="%(levelname)s %(name)s: %(message)s")
    return settings


def _run(command: Callable[[], Coroutine[Any, Any, None]]) -> None:
    anyio.run(command)


@cli.command()
@click.option("--http", "address", metavar="HOST:PORT", help="Serve streamable HTTP at /mcp instead of stdio.")
@click.pass_context
def serve(ctx: click.Context, address: str | None) -> None:
    """Serve MCP over stdio, or over HTTP."""
    settings = _settings(ctx)
    gc.disable()  # importing makes no garbage, and looking for some costs a sixth of the time to the first reply
    from interlayer.app.process import Interlayer
    from interlayer.app.serving import parse_address, serve_http, serve_stdio

    gc.enable()
    gc.freeze()  # nor does what was imported ever become garbage
    place = parse_address(address) if address else None

    async def run() -> None:
        interlayer = Interlayer(settings)
        if place is None:
            await serve_stdio(interlayer)
        else:
            click.echo(f"interlayer: http://{place[0]}:{place[1]}/mcp (home {settings.home})", err=True)
            await serve_http(interlayer, *place)

    _run(run)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON.")
def demo(as_json: bool) -> None:
    """Show the main job end to end on a temporary home: two agents, two look-alike companies, one policy change."""
    from interlayer.app.demo import run_demo

    sys.exit(anyio.run(run_demo, as_json))


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check configuration, stores, embedder and model; exit 1 on a fault."""
    settings = _settings(ctx)
    from interlayer.app.doctor import Finding, examine

    findings: list[Finding] = anyio.run(examine, settings)
    if as_json:
        click.echo(json.dumps([{"name": one.name, "ok": one.ok, "detail": one.detail} for one in findings], indent=2))
    else:
        for one in findings:
            mark = click.style("ok   ", fg="green") if one.ok else click.style("FAULT", fg="red")
            click.echo(f"{mark}  {one.name:<13} {one.detail}")
    sys.exit(0 if all(one.ok for one in findings) else _FAILED)


@cli.command()
@click.argument("client", type=click.Choice(["claude-desktop", "claude-code", "cursor", "vscode"]))
@click.option("--write", is_flag=True, help="Merge into the client's configuration file instead of printing.")
@click.pass_context
def install(ctx: click.Context, client: str, write: bool) -> None:
    """Print, or with --write merge, the configuration that adds this server to an agent host."""
    settings = _settings(ctx)
    from interlayer.app.clients import clients, configuration, merge

    chosen = clients(Path.home(), Path.cwd())[client]
    environment = {name: value for name, value in os.environ.items() if name.startswith("INTERLAYER_")}
    given: Mapping[str, str | None] = ctx.obj
    environment |= {f"INTERLAYER_{name}": value for name, value in given.items() if value}
    if "INTERLAYER_HOME" in environment:
        environment["INTERLAYER_HOME"] = str(settings.home)
    wanted = configuration(chosen, environment)
    if write:
        merge(chosen, wanted)
        click.echo(f"{chosen.title}: wrote {chosen.path}. {chosen.hint}")
    else:
        click.echo(f"# {chosen.title}: {chosen.path}", err=True)
        click.echo(json.dumps(wanted, indent=2))
        click.echo(f"# {chosen.hint} With --write this is merged into the file.", err=True)


@cli.command()
@click.option("--rebuild", is_flag=True, help="Compare every fact with the vector layer and mend what differs.")
@click.pass_context
def reconcile(ctx: click.Context, rebuild: bool) -> None:
    """Replay what the vector layer has not yet seen."""
    settings = _settings(ctx)
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            organization = settings.principal.organization
            done = await interlayer.projector.drain(organization)
            click.echo(f"{done} outbox entries replayed")
            if rebuild:
                types = list(interlayer.domains.schema.entities)
                made = await interlayer.projector.rebuild(organization, types, _progress)
                click.echo(f"{made.facts} facts: {made.added} rows were missing, {made.removed} were left over")

    _run(run)


@cli.group()
def memory() -> None:
    """Look at what is remembered."""


@memory.command("show")
@click.argument("entity")
@click.option("--history", is_flag=True, help="Show every observed value of each property.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def memory_show(ctx: click.Context, entity: str, history: bool, as_json: bool) -> None:
    """Print what is known of ENTITY (type:key)."""
    settings = _settings(ctx)
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
            sys.exit(_FAILED)

    _run(run)


@cli.group()
def policy() -> None:
    """Write, check and publish policies."""


@policy.command("lint")
@click.argument("folder", type=click.Path(path_type=Path))
def policy_lint(folder: Path) -> None:
    """Check the policies of FOLDER; exit 1 when they could not be published."""
    from interlayer_policies.governance import lint, read_folder

    files = read_folder(folder)
    problems = lint(files)
    for problem in problems:
        click.echo(str(problem))
    errors = [problem for problem in problems if problem.severity == "error"]
    click.echo(f"{len(files)} files, {len(errors)} errors, {len(problems) - len(errors)} warnings")
    sys.exit(_FAILED if errors else 0)


@policy.command("publish")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--reason", required=True, help="Why; kept with the published set and in the audit trail.")
@click.option("--author", help="Who wrote it; default: the local agent.")
@click.pass_context
def policy_publish(ctx: click.Context, folder: Path, reason: str, author: str | None) -> None:
    """Make the files of FOLDER the organization's whole set of policies, all or nothing."""
    settings = _settings(ctx)
    from interlayer.app.composition import opened
    from interlayer_policies.governance import read_folder

    async def run() -> None:
        files = read_folder(folder)
        async with opened(settings) as interlayer:
            done = await interlayer.domains.governance.publish(settings.principal, files, reason=reason, author=author)
        counts = f"{len(done.added)} added, {len(done.changed)} changed, {len(done.removed)} removed"
        click.echo(f"revision {done.revision}: {counts}")

    _run(run)


@policy.command("show")
@click.argument("policy_id", required=False)
@click.option("--version", type=int, help="An older version; default: the one in force.")
@click.pass_context
def policy_show(ctx: click.Context, policy_id: str | None, version: int | None) -> None:
    """Print a policy in force, or, without POLICY_ID, list them all."""
    settings = _settings(ctx)
    from interlayer.app.composition import opened

    async def run() -> None:
        async with opened(settings) as interlayer:
            governance = interlayer.domains.governance
            if policy_id:
                click.echo((await governance.policy(settings.principal, policy_id, version)).text)
                return
            published = await governance.published(settings.principal)
            click.echo(f"revision {published.revision}")
            for one in published.policies:
                click.echo(f"  {one.id:<24} v{one.version:<4} {one.title}")

    _run(run)


def main() -> None:
    """Run the command line."""
    cli()
