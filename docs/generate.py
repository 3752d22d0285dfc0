"""Writes docs/reference from the code: hooks, commands, plugins and the project file (`make docs`)."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from reference_objects import described, described_function, objects
from reference_parts import default_of, notes_of, signature_of, table_of
from reference_testing import testing

import mlm.measures
from mlm import hookspecs
from mlm.cli.main import COMMANDS, cli
from mlm.deploying import OWN_KEYS
from mlm.discovery import PluginRef
from mlm.editor_schema import KIND_OF_INTENT
from mlm.plugins import KINDS, Catalogue, known_hooks
from mlm.problem import Problem
from mlm.project import INTENT, STEP_STAGES, Access, Governance, Place, Plugins
from mlm.requirements import Requirement
from mlm.scaffold import CLASSES
from mlm.schemas import settings_schema
from mlm.steps import KIND_OF_STAGE, OUTPUT_OF_STAGE
from mlm.testing import checks_of

FOLDER = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate.py from the code: change the code and run `make docs`. -->"
WIDTH = 100
CONTRIB = Path(__file__).parents[1] / "contrib" / "README.md"
_MARK = "<!-- The table is made from the metadata of each folder by docs/generate.py. -->"
_ACTION = "kind subject text waiting failed"
_AMENDMENT = "op target value key by reason proposal at revoked id"
_SCORE = "metric value model data evaluator step report n low high unit settings backend seed"
_VERDICT = "outcome code reason low high evidence by"
_CITATION = "similarity ref split row_id source file text relation"
_DIFFERENCE = "row_id source reason before after columns"
_IMPACT = {
    "": "subject nodes datasets models scores deployments responses",
    "models[]": "ref stage state aliases responses",
    "scores[]": "metric value model report",
    "deployments[]": "deployment revision version share",
}
_SHOWN = "node path presence execution inputs rows chain scores logged up_to_date examples"
ANSWERS = {
    "review": {"[]": "code title severity category advice source"},
    "plan": {
        "": "steps requirements amendments policies recalled",
        "steps[]": "name stage plugin status needs output amended_by",
        "requirements[]": "requirement gate monitor trigger",
        "requirements[].requirement": "name metric min max by",
        "amendments[]": _AMENDMENT,
    },
    "run": {"": "run steps recalled", "steps[]": "name stage status seconds output error detail rows_in rows_out"},
    "status": {
        "": "project versions scores deployments signals proposals last_run",
        "versions[]": "ref stage state recalled digest share aliases gates",
        "versions[].gates[]": "current requirement outcome code reason value low high n",
        "scores[]": "step metric model value low high n unit current",
        "deployments[]": "name revision arms endpoint heartbeat",
        "deployments[].arms[]": "version share",
        "signals[]": "deployment metric value low high n unit coverage verdict",
        "proposals[]": "title reason plan changes evidence by deployment state at id",
        "last_run": "run started steps failed",
    },
    "show": {
        "": _SHOWN,
        "node": "name kind digest version id execution size_bytes created metadata",
        "execution": "step stage run plugin distribution distribution_version plugin_digest fingerprint settings seed "
        "environment status error started seconds cpu_seconds cost_usd id",
        "inputs[]": "role ref split",
        "scores[]": f"{_SCORE} coverage",
        "logged[]": "name step value",
    },
    "show --examples": {"": _SHOWN, "examples[]": "row_id prompt answer expected score label"},
    "data show": {
        "": "ref path rows inputs columns chain removed changed first",
        "inputs[]": "role ref split rows",
        "columns[]": "name type nulls",
        "chain[]": "changed lengths removed rows_in rows_out step",
    },
    "data diff": {
        "": "old new rows added removed changed same columns_added columns_removed removed_because lengths examples",
        "examples": "added removed changed",
        "examples.added[]": _DIFFERENCE,
        "examples.removed[]": _DIFFERENCE,
        "examples.changed[]": _DIFFERENCE,
    },
    "data why": {
        "[]": "row_id dataset source file split text stops used_by",
        "[].stops[]": "step happened reason detail",
    },
    "trace": {"": "start nodes edges", "nodes[]": "ref kind stage digest", "edges[]": "source target role split"},
    "trace RESPONSE": {
        "": "response at deployment revision version state prompt answer gates lineage rows",
        "gates[]": "subject kind by outcome code reason requirements low high evidence at id",
        "lineage": "start nodes edges",
        "rows[]": _CITATION,
    },
    "responses": {"[]": "id at deployment version prompt response rating guarded error"},
    "cite": {"[]": _CITATION},
    "replay": {"": "replays first_diverging", "replays[]": "ref outcome reason recorded made"},
    "impact": _IMPACT,
    "recall": {
        "": "id impact moves kept",
        **{f"impact{'.' + place if place else ''}": keys for place, keys in _IMPACT.items()},
        "moves[]": "kind name before after",
    },
    "recall --list": {"[]": "subject nodes by reason moves at undone id"},
    "admit": {"": "version digest verdict", "verdict": _VERDICT},
    "history": {"[]": "at version by reason"},
    "who-served": {"[]": "deployment revision since until version share responses certain"},
    "promote": {"": "version alias promoted verdicts", "verdicts[]": _VERDICT},
    "deploy": {
        "": "action desired observed",
        "desired": "name arms by reason at revision",
        "desired.arms[]": "node share",
        "observed": "revision url ready detail",
    },
    "feedback": {"[]": "response rating prompt answer correction at"},
    "reconcile": {"": "state actions waiting", "actions[]": _ACTION, "waiting[]": _ACTION},
    "retire": {"": _ACTION},
    "card": {"": "ref markdown"},
    "audit": {"[]": "action subject by detail at id digest seal"},
    "audit verify": {
        "": "ok rows first_bad reason head touched objects damaged set_back",
        "touched[]": "table key what",
    },
    "erase": {
        "[]": "done certificate digest",
        "[].certificate": "erasure at by reason rows exchanges datasets reports models unaffected files remains",
        "[].certificate.models[]": "ref action state",
    },
    "erase --list": {"[]": "subject by reason certificate counts at id"},
    "push": {"": "remote files bytes deleted"},
    "pull": {"": "remote changed objects kept"},
    "gc": {"": "deleted files bytes needed indexes unfinished"},
    "plugins": {"[]": "kind name distribution version state reason checked"},
    "plugins show": {
        "[]": "identity version state reason help hooks metrics settings",
        "[].settings[]": "name role type default unit help",
    },
    "plugins check": {"[]": "identity version results code at", "[].results[]": "name outcome demand seen where"},
    "plugins doctor": {"[]": "identity version ok seconds heavy hooks api problem notes"},
}
"""Keys of each answer to `--json`, by their place in it; the tests hold the commands to it."""
FURTHER_HOOKS = {"mlm_spread": "executors", "mlm_version": "sources", "mlm_serve": "targets", "mlm_observe": "policies"}
"""Hooks that a plugin of the kind may have beside the one that it must have."""


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    made = {
        "kinds": kinds(),
        "hooks": hooks(),
        "cli": commands(),
        "json": answers(),
        "plugins": plugins(),
        "project-file": project_file(),
        "objects": objects(),
        "measures": measures(),
        "testing": testing(),
    }
    return {f"{name}.md": "\n\n".join([NOTE, *parts]) + "\n" for name, parts in made.items()}


def kinds() -> Iterator[str]:
    """Yield the page of kinds: entry points, hooks, tables, and what the conformance kit asks."""
    yield "# Kinds of plugins"
    yield (
        "A plugin is an attrs class that an entry point of the group names. `mlm plugins new <kind> <name>` writes a "
        "first one of any kind; [Hooks](hooks.md) has the exact arguments, [Objects](objects.md) says what they are, "
        "and [Bundled plugins](plugins.md) those that come with mlm."
    )
    yield "The conformance kit ([mlm.testing](testing.md)) asks of every plugin, whatever its kind:"
    yield _checks("any")
    bundled = {
        kind: [f"`{r.name}`" for r in Catalogue.discover().of_kind(kind) if r.distribution == "mlm"] for kind in KINDS
    }
    for kind, wanted in KINDS.items():
        yield f"## {kind}"
        named = [f"`[{place}.<name>]`" for place, k in (*KIND_OF_STAGE.items(), *KIND_OF_INTENT.items()) if k == kind]
        facts = [["entry point group", f"`mlm.{kind}`"]]
        facts += [["named by `use` of", ", ".join(named)]] if named else []
        facts += [["conformance class", f"`mlm.testing.{CLASSES[kind]}Conformance`"]]
        facts += [["bundled", ", ".join(bundled[kind]) or "none"]]
        yield table_of(["", ""], facts)
        if kind == "policies":
            yield "A policy may wrap any hook of a step, with `@mlm.hookimpl(wrapper=True)`."
        further = [hook for hook, owner in FURTHER_HOOKS.items() if owner == kind]
        rows = [
            [f"`{hook}`", (inspect.getdoc(getattr(hookspecs, hook)) or "").splitlines()[0]]
            for hook in (*wanted, *further)
        ]
        yield table_of(["hook", "what it does"], rows)
        if any(one.kind == kind for one in checks_of(kind)):
            yield _checks(kind)


def _checks(kind: str) -> str:
    return table_of(
        ["check", "what it asks"], [[f"`{one.name}`", one.demand] for one in checks_of(kind) if one.kind == kind]
    )


def measures() -> Iterator[str]:
    """Yield the page of `mlm.measures`: what evaluators and monitors measure with."""
    yield "# mlm.measures"
    yield inspect.getdoc(mlm.measures) or ""
    public = [
        value
        for name, value in vars(mlm.measures).items()
        if getattr(value, "__module__", "") == mlm.measures.__name__ and not name.startswith("_")
    ]
    for record in (value for value in public if inspect.isclass(value)):
        yield from described(record, record.__name__)
    for function in (value for value in public if inspect.isfunction(value)):
        yield from described_function(function)


def hooks() -> Iterator[str]:
    """Yield the page of hooks: phases, and in each its hooks with their exact arguments."""
    yield "# Hooks"
    yield inspect.getdoc(hookspecs) or ""
    phases = _phases()
    shown = ""
    for name in known_hooks():
        hook = getattr(hookspecs, name)
        phase = [title for line, title in phases if line < inspect.getsourcelines(hook)[1]][-1]
        if phase != shown:
            yield f"## {phase}"
            shown = phase
        yield f"### {heading(hook)}"
        yield f"```python\n{signature_of(hook)}\n```"
        yield inspect.getdoc(hook) or ""
        yield f"Entry point group: `mlm.{_kind(name)}`."


def _kind(hook: str) -> str:
    return FURTHER_HOOKS.get(hook) or next(kind for kind, wanted in KINDS.items() if hook in wanted)


def heading(hook: Any) -> str:
    """Return a hook's name with its exact arguments."""
    return f"`{hook.__name__}({', '.join(inspect.signature(hook).parameters)})`"


def _phases() -> list[tuple[int, str]]:
    """Return (line, title) of the comments that divide the page of hooks."""
    lines = inspect.getsource(hookspecs).splitlines()
    return [(number, line[2:]) for number, line in enumerate(lines, 1) if line.startswith("# ")]


def commands() -> Iterator[str]:
    """Yield the page of commands, as `--help` shows them."""
    yield "# Commands"
    root = click.Context(cli, info_name="mlm", **cli.context_settings, max_content_width=WIDTH, terminal_width=WIDTH)
    yield "Options of `mlm` itself stand before the command: `mlm --debug run`."
    yield table_of(["option", "what it does"], [list(record) for record in _options(cli, root)])
    yield (
        "Exit codes: 0 done, or waiting for somebody; 1 refused or failed; 2 a mistake on the command line; 3 where "
        "`mlm reconcile --exit-code` waits; 130 interrupted."
    )
    for name in COMMANDS:
        command = cli.get_command(root, name)
        assert command is not None
        context = click.Context(command, root, info_name=name, max_content_width=WIDTH, terminal_width=WIDTH)
        yield f"## mlm {name}"
        yield f"```text\n{command.get_help(context)}\n```"
        for part, verb in sorted(command.commands.items()) if isinstance(command, click.Group) else ():
            within = click.Context(verb, context, info_name=part, max_content_width=WIDTH, terminal_width=WIDTH)
            yield f"### mlm {name} {part}"
            yield f"```text\n{verb.get_help(within)}\n```"


def _options(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    for parameter in command.get_params(context):
        if record := parameter.get_help_record(context):
            yield f"`{record[0]}`", record[1]


def answers() -> Iterator[str]:
    """Yield the page of what commands print with `--json`."""
    yield "# JSON answers"
    yield "What each command prints with `--json`: the keys by their place; `[]` stands for each item of a list."
    for command, places in ANSWERS.items():
        yield f"## mlm {command}"
        rows = [[f"`{place or '.'}`", ", ".join(f"`{key}`" for key in keys.split())] for place, keys in places.items()]
        yield table_of(["place", "keys"], rows)


def plugins() -> Iterator[str]:
    """Yield the page of bundled plugins, by kind."""
    catalogue = Catalogue.discover()
    yield "# Bundled plugins"
    yield "The same from the command line: `mlm plugins`, `mlm plugins show trainers/dpo`."
    for kind in KINDS:
        bundled = [ref for ref in catalogue.of_kind(kind) if ref.distribution == "mlm"]
        if bundled:
            yield f"## {kind}"
        for ref in bundled:
            yield from _plugin(ref, catalogue.load(ref))


def _plugin(ref: PluginRef, cls: type[Any]) -> Iterator[str]:
    yield f"### {ref.kind}/{ref.name}"
    yield inspect.getdoc(cls) or ""
    if metrics := getattr(cls, "metrics", ()):
        names = [spec.name for spec in metrics] if isinstance(metrics, Sequence) else ["as its settings say"]
        yield f"Measures: {', '.join(names)}."
    rows = settings_schema(cls)
    if rows:
        yield _settings(rows)


def _settings(rows: list[dict[str, Any]]) -> str:
    lines = [[f"`{r['name']}`", f"`{r['type']}`", default_of(r), r["unit"], r["help"]] for r in rows]
    return table_of(["setting", "type", "default", "unit", "what it does"], lines)


def project_file() -> Iterator[str]:
    """Yield the page of `mlm.toml`."""
    yield "# The project file, mlm.toml"
    yield "Two keys stand before the first table: `seed` (default 0) and `threads` (default 2)."
    stated: dict[str, type[Any]] = {"[problem]": Problem, "[requirements.&lt;name&gt;]": Requirement}
    for title, cls in stated.items():
        yield f"## {title}"
        yield _record(cls)
    yield "## Steps"
    yield (
        "A table `[<section>.<name>]` is a step. `use` names the plugin; a key that is an artifact input takes the "
        'name of another step (`"name"`, `"name/split"`, or a list); every other key is a setting. Names are unique in '
        "the file. A data step may have `steps`: a list of transforms. Any step may have `isolate = true`: it runs "
        "in a process of its own, so that a crash is a failed step; `isolate = { memory_mb = 4000 }` bounds its memory."
    )
    rows = [[f"`[{s}.<name>]`", KIND_OF_STAGE[s], OUTPUT_OF_STAGE[s]] for s in STEP_STAGES]
    yield table_of(["table", "`use` names one of", "makes a"], rows)
    yield "## The living system"
    yield "These tables say what should be true; `mlm reconcile` does what is due."
    yield table_of(["table", "`use` names one of"], [[f"`[{s}.<name>]`", KIND_OF_INTENT[s]] for s in INTENT])
    keys = ", ".join(f"`{key}`" for key in OWN_KEYS)
    yield f"Keys of a deployment that are not settings of its target: {keys}."
    governed: dict[str, type[Any]] = {
        "[governance]": Governance,
        "[access]": Access,
        "[registry]": Place,
        "[plugins]": Plugins,
    }
    for title, cls in governed.items():
        yield f"## {title}"
        yield inspect.getdoc(cls) or ""
        yield _record(cls)


def contrib() -> str:
    """Return contrib/README.md with its table made anew from the metadata of each folder."""
    import tomllib

    head, mark, _ = CONTRIB.read_text(encoding="utf-8").partition(_MARK)
    rows = []
    for file in sorted(CONTRIB.parent.glob("*/pyproject.toml")):
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        plugins = [
            f"{group.removeprefix('mlm.')}/{name}"
            for group, points in project["entry-points"].items()
            for name in points
        ]
        name = f"[{project['name']}]({file.parent.name}/README.md)"
        rows.append([name, ", ".join(plugins), ", ".join(project["dependencies"]), project["description"]])
    table = table_of(["distribution", "plugins", "needs", "what it is"], rows)
    return f"{head}{mark}\n\n{table}\n"


def _record(cls: type[Any]) -> str:
    notes = notes_of(cls)
    rows = [row for row in settings_schema(cls) if (cls, row["name"]) != (Requirement, "name")]
    lines = [[f"`{r['name']}`", f"`{r['type']}`", default_of(r), notes.get(r["name"], "")] for r in rows]
    return table_of(["key", "type", "default", "what it says"], lines)


if __name__ == "__main__":
    CONTRIB.write_text(contrib(), encoding="utf-8")
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
