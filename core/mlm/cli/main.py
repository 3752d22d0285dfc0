"""A lazy table of commands: `mlm --help` imports click and the standard library."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

COMMANDS = {
    "init": "Write a starter project into a new folder.",
    "review": "Review the problem statement: gaps, risks, expected return.",
    "plan": "Show what a run would do and what each requirement steers.",
    "run": "Run every step that is not up to date.",
    "status": "Show model versions, their gates and their share of traffic.",
    "show": "Show one node: a dataset, model or report.",
    "data": "Follow rows: show, diff, why, sample, report.",
    "trace": "Follow the lineage of a node or a response, up or down.",
    "responses": "List what was asked and answered.",
    "cite": "Show the training rows most similar to a response.",
    "replay": "Run an execution again from its lineage, and compare.",
    "impact": "Show what rests on a node, row, source or plugin, down to live traffic.",
    "recall": "Recall what must not be used any more; traffic drains to clean versions.",
    "promote": "Approve a model version and point an alias at it.",
    "sign": "Sign a model version, or add a signature.",
    "admit": "Say whether a server may load a model version.",
    "history": "List every move of an alias.",
    "who-served": "Say which versions were served at a moment.",
    "deploy": "Move a deployment's traffic towards its alias's version.",
    "serve": "Run a deployment's endpoint in this process.",
    "traffic": "Replay prompts against a deployment.",
    "feedback": "Rate a response, and give the right answer.",
    "reconcile": "Compare the living system with what should be true; do what is due.",
    "retire": "Retire a model version.",
    "card": "Write a model card or a dataset card from the registry.",
    "report": "Write one HTML page of the model's whole life.",
    "audit": "Show the audit log, or verify its chain.",
    "erase": "Erase a person's rows and exchanges; certify what was erased.",
    "export": "Write the lineage as OpenLineage events, or a dataset as Croissant.",
    "push": "Copy the registry and its objects to the remote.",
    "pull": "Take over what was pushed to the remote.",
    "gc": "Delete stored bytes that no node needs.",
    "schema": "Write the JSON Schema of mlm.toml, for editors.",
    "plugins": "List the installed plugins, or show one.",
}


class LazyCommands(click.Group):
    """Commands of mlm from the table, and commands of plugins from entry points."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *sorted(_plugin_commands())]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in COMMANDS:
            word = name.replace("-", "_")
            return getattr(import_module(f"mlm.cli.{word}_command"), word)  # type: ignore[no-any-return]
        point = _plugin_commands().get(name)
        return _plugin_command(name) if point else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # Help lines come from the table, so that listing the commands imports none of them.
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items(), *((n, f"From {d}.") for n, d in sorted(_plugin_commands().items()))])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from mlm.errors import near_miss

        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            raise click.UsageError(f"no command is named '{name}'{near_miss(name, self.list_commands(ctx))}", ctx)
        return super().resolve_command(ctx, args)


def _plugin_commands() -> dict[str, str]:
    """Return names of plugin commands with their distributions, importing nothing of theirs."""
    from mlm.installed import points

    found: dict[str, set[str]] = {}
    for point in points():
        if point["kind"] == "commands" and point["name"] not in COMMANDS:
            found.setdefault(point["name"], set()).add(point["distribution"])
    return {name: " and ".join(sorted(distributions)) for name, distributions in found.items()}


def _plugin_command(name: str) -> click.Command:
    from mlm.calls import Plugin
    from mlm.cli.opening import catalogue_here
    from mlm.plugins import settled

    catalogue = catalogue_here(strict=True)
    rivals = [ref for ref in catalogue.of_kind("commands") if ref.name == name and not catalogue.rules.refusal(ref)]
    if len(rivals) > 1:
        both = " and ".join(ref.distribution for ref in rivals)
        raise click.UsageError(f"command '{name}' is in {both}: {settled(rivals[0], rivals)}")
    ref = catalogue.find("commands", name)
    return Plugin(ref, catalogue.load(ref)()).command()


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--project", "-C", type=click.Path(file_okay=False), help="Folder of the project; default: here or above."
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option("--trace-hooks", is_flag=True, help="Show each call of a plugin's hook: arguments, result, time.")
@click.version_option(package_name="mlm")
@click.pass_context
def cli(context: click.Context, project: str | None, debug: bool, trace_hooks: bool) -> None:
    """Manage the life of a generative model.

    One problem statement in mlm.toml steers data, training, evaluation, alignment, deployment, monitoring, improvement
    and retirement. Start with: mlm init atlas
    """
    context.obj = {"project": project, "debug": debug}
    if trace_hooks:
        from mlm.tracing import TRACE

        os.environ[TRACE] = "1"
        context.call_on_close(lambda: os.environ.pop(TRACE, None))


def main(arguments: Sequence[str] | None = None) -> Any:
    """Run the command line; a user's mistake is one line and an exit code, never a traceback."""
    # What a command makes before it works stays: looking for garbage among it is a tenth of a short command.
    gc.set_threshold(10_000)
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = cli.main(args=arguments, prog_name="mlm", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted: what was finished is kept, run the command again to go on", err=True)
        code = 130
    except BrokenPipeError:
        sys.stderr.close()
        code = 1
    except Exception as error:
        if "--debug" in arguments:
            raise
        code = told(error)
    sys.exit(code if isinstance(code, int) else 0)


def told(error: Exception) -> int:
    """Say an error in a line, and return its exit code."""
    from mlm.cli.showing import visible
    from mlm.errors import MlmError, ProjectError, Waiting
    from mlm_registry.errors import RegistryError

    if isinstance(error, Waiting):
        click.echo(f"Waiting: {error}", err=True)
        return 0
    if isinstance(error, MlmError | RegistryError | OSError):
        for line in str(error).splitlines() if isinstance(error, ProjectError) else [error]:
            click.echo(f"Error: {visible(str(line))}", err=True)
        return 1
    click.echo(f"Error: {type(error).__name__}: {error}  (a defect of mlm or a plugin: --debug shows where)", err=True)
    return 1
