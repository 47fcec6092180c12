"""The command line. Commands import what they need when they run, so that `--help` and `serve` start fast."""

import gc
import json

import anyio
import click

from interlayer import __version__
from interlayer.app.commands.access import access
from interlayer.app.commands.audit import audit
from interlayer.app.commands.cost import cost
from interlayer.app.commands.entity import entity, entity_duplicates
from interlayer.app.commands.extraction import evaluate, extract
from interlayer.app.commands.install import install
from interlayer.app.commands.memory.corrections import memory_correct, memory_end
from interlayer.app.commands.memory.forgetting import memory_forget, memory_forgotten, memory_restore
from interlayer.app.commands.memory.group import memory
from interlayer.app.commands.memory.questions import memory_list, memory_search
from interlayer.app.commands.memory.timeline import memory_timeline
from interlayer.app.commands.model import model
from interlayer.app.commands.policy_import import policy
from interlayer.app.commands.reconcile import reconcile
from interlayer.app.commands.reembed import reembed
from interlayer.app.commands.schema import schema
from interlayer.app.commands.shell import FAILED, Commands, settings_of
from interlayer.app.commands.store import store
from interlayer.app.commands.subject import subject
from interlayer.app.commands.transfer import export_command, import_command
from interlayer.app.home import private_files


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="interlayer")
@click.option("--home", metavar="DIR", help="Folder of the embedded stores (INTERLAYER_HOME).")
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="Configuration file instead of the user's and the home's (INTERLAYER_CONFIG).",
)
@click.option("--org", metavar="NAME", help="Organization of the local caller (INTERLAYER_ORG).")
@click.option("--agent", metavar="NAME", help="Agent name of the local caller (INTERLAYER_AGENT).")
@click.pass_context
def cli(ctx: click.Context, home: str | None, config: str | None, org: str | None, agent: str | None) -> None:
    """One entity memory and one governance for every agent of an organization, over MCP.

    Begin with `interlayer demo`, then `interlayer install claude-code`.
    """
    ctx.obj = {"HOME": home, "CONFIG": config, "ORG": org, "AGENT": agent}


@cli.command()
@click.option("--http", "address", metavar="HOST:PORT", help="Serve streamable HTTP at /mcp instead of stdio.")
@click.pass_context
def serve(ctx: click.Context, address: str | None) -> None:
    """Serve MCP over stdio, or over HTTP."""
    settings = settings_of(ctx)
    gc.disable()  # importing makes no garbage, and looking for some costs a sixth of the time to the first reply
    from interlayer.app.mcp_server.process import Interlayer
    from interlayer.app.mcp_server.transports import parse_address, serve_http, serve_stdio

    gc.enable()
    gc.freeze()  # nor does what was imported ever become garbage
    place = parse_address(address, authenticated=settings.auth != "none") if address else None

    async def run() -> None:
        interlayer = Interlayer(settings)
        if place is None:
            await serve_stdio(interlayer)
        else:
            click.echo(f"interlayer: http://{place[0]}:{place[1]}/mcp (home {settings.home})", err=True)
            await serve_http(interlayer, *place)

    with private_files():
        anyio.run(run)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON.")
def demo(as_json: bool) -> int:
    """Show the main job end to end on a temporary home: two agents, two look-alike companies, one policy change."""
    from interlayer.app.demo import run_demo

    return anyio.run(run_demo, as_json)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> int:
    """Check configuration, stores, embedder and model; exit 1 on a fault."""
    settings = settings_of(ctx)
    from interlayer.app.doctor import Finding, examine

    with private_files():
        findings: list[Finding] = anyio.run(examine, settings)
    if as_json:
        click.echo(json.dumps([{"name": one.name, "ok": one.ok, "detail": one.detail} for one in findings], indent=2))
    else:
        for one in findings:
            mark = click.style("ok   ", fg="green") if one.ok else click.style("FAULT", fg="red")
            click.echo(f"{mark}  {one.name:<13} {one.detail}")
    return 0 if all(one.ok for one in findings) else FAILED


cli.add_command(install)
for command in (
    memory_search,
    memory_list,
    memory_timeline,
    memory_correct,
    memory_end,
    memory_forget,
    memory_forgotten,
    memory_restore,
    entity_duplicates,
    extract,
    evaluate,
):
    memory.add_command(command)
cli.add_command(memory)
cli.add_command(model)
cli.add_command(entity)
cli.add_command(subject)
cli.add_command(policy)
cli.add_command(schema)
cli.add_command(audit)
cli.add_command(access)
cli.add_command(cost)
cli.add_command(store)
cli.add_command(reconcile)
cli.add_command(reembed)
cli.add_command(export_command)
cli.add_command(import_command)


def main() -> None:
    """Run the command line."""
    cli()
