"""`mlm.toml` as typed tables; every error names file, table and key, and the near miss."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import field, frozen

from mlm.discovery import Rules
from mlm.errors import ProjectError, near_miss
from mlm.mistakes import Mistakes
from mlm.problem import Problem
from mlm.requirements import Requirement
from mlm.structuring import structure
from mlm.unclosed import unclosed

FILE = "mlm.toml"
STEP_STAGES = ("data", "model", "training", "alignment", "export", "evaluation")
"""Tables whose entries are steps, in the order of the lifecycle."""
INTENT = ("deployment", "monitoring", "improvement", "retirement")
_SECTIONS = ("problem", "requirements", *STEP_STAGES, *INTENT, "governance", "registry", "access", "plugins")


@frozen
class Table:
    """One named table: `[training.chat]`."""

    section: str
    name: str
    values: Mapping[str, Any]

    @property
    def where(self) -> str:
        return f"{FILE}, {self.section}.{self.name}"


@frozen
class Governance:
    """`[governance]`: which reviews, checks and policies the project names, in order."""

    reviews: tuple[Any, ...] = ()
    """Ask for gaps and risks of the problem statement."""
    checks: tuple[Any, ...] = ()
    """Asked at promotion and at admission; each must pass."""
    policies: tuple[Any, ...] = ()
    """Observe steps, or wrap them."""
    executor: Any = None
    """Where steps run; default: in the process of `mlm run`."""
    signers: tuple[Path, ...] = ()
    """Public keys (PEM); where there are any, admission asks for a signature by one of them."""


@frozen
class Access:
    """`[access]`: who may act; an empty tuple means anyone. Advisory on a local registry file."""

    promote: tuple[str, ...] = ()
    approve: tuple[str, ...] = ()
    retire: tuple[str, ...] = ()
    recall: tuple[str, ...] = ()
    erase: tuple[str, ...] = ()


@frozen
class Place:
    """`[registry]`: where the registry is, and where copies of it are."""

    path: Path | None = None
    """Its folder; default: `.mlm` beside the project file."""
    remote: str = ""
    """Where `mlm push` copies it: a URL that fsspec knows, or a folder."""

    def url(self, folder: Path) -> str:
        """Return the remote's URL; a folder is relative to the project's."""
        return self.remote if not self.remote or "://" in self.remote else str(folder / self.remote)


@frozen
class Plugins:
    """`[plugins]`: which of the installed plugins may be used, by patterns such as `acme` or `*:guards/*`."""

    allow: tuple[str, ...] = ()
    """Only these, where there are any; a pattern matches a distribution's name, or `distribution:kind/name`."""
    deny: tuple[str, ...] = ()
    """Not these, whatever is allowed."""


@frozen
class Project:
    """A project folder with its parsed `mlm.toml`."""

    folder: Path
    problem: Problem
    seed: int = 0
    threads: int = 2
    requirements: tuple[Requirement, ...] = ()
    steps: tuple[Table, ...] = ()
    intent: tuple[Table, ...] = ()
    governance: Governance = field(factory=Governance)
    access: Access = field(factory=Access)
    registry: Path = Path(".mlm")
    remote: str = ""
    rules: Rules = field(factory=Rules)

    def tables(self, section: str) -> list[Table]:
        return [t for t in (*self.steps, *self.intent) if t.section == section]

    def deployment(self, name: str | None) -> Table:
        """Return a deployment's table; without a name, the only one."""
        tables = self.tables("deployment")
        if not tables:
            raise ProjectError("the project has no [deployment.<name>] table", FILE)
        if name is None and len(tables) == 1:
            return tables[0]
        for table in tables:
            if table.name == name:
                return table
        names = [t.name for t in tables]
        raise ProjectError(
            f"no deployment is named '{name}' (deployments: {', '.join(names)}){near_miss(name or '', names)}"
        )


_RECORDS = {"problem": Problem, "governance": Governance, "access": Access, "registry": Place}


def find_project(start: Path) -> Path:
    """Return the nearest folder, from `start` upwards, that has an `mlm.toml`."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder
    raise ProjectError(f"there is no {FILE} in {start} or above it: `mlm init atlas` writes a starter project")


def load_project(folder: Path) -> Project:
    """Read and check `mlm.toml`; names of plugins and steps are checked by the plan."""
    raw, mistakes = _parsed(folder), Mistakes()
    numbers: dict[str, Any] = {
        key: mistakes.of(_integer, raw, key, default, least)
        for key, default, least in (("seed", 0, 0), ("threads", 2, 1))
    }
    for section, value in raw.items():
        if section not in _SECTIONS:
            known = (*_SECTIONS, "seed", "threads")
            mistakes.add(f"unknown table or key '{section}'{near_miss(section, known)}", f"{FILE}, {section}")
        elif not isinstance(value, dict):
            mistakes.add(f"expected a table, got {value!r}", f"{FILE}, {section}")
    if "problem" not in raw:
        mistakes.add("the table [problem] is missing: say what the model is for", FILE)
    given = {section: raw[section] if isinstance(raw.get(section), dict) else {} for section in _SECTIONS}
    records: dict[str, Any] = {
        section: mistakes.of(_record, cls, given[section], section, folder)
        for section, cls in _RECORDS.items()
        if section != "problem" or isinstance(raw.get(section), dict)
    }
    requirements = [mistakes.of(_requirement, name, value, folder) for name, value in given["requirements"].items()]
    tables = [t for section in (*STEP_STAGES, *INTENT) for t in _tables(section, given[section], mistakes)]
    rules = mistakes.of(_rules, given, folder)
    mistakes.tell()
    assert rules
    place = records.pop("registry")
    return Project(
        folder=folder,
        requirements=tuple(one for one in requirements if one),
        steps=tuple(table for table in tables if table.section in STEP_STAGES),
        intent=tuple(table for table in tables if table.section in INTENT),
        registry=place.path or folder / ".mlm",
        remote=place.url(folder),
        rules=rules,
        **numbers,
        **records,
    )


def load_rules(folder: Path) -> Rules:
    """Read `[plugins]` alone: which plugins may be used, whatever the other tables hold."""
    return _rules(_parsed(folder), folder)


def _parsed(folder: Path) -> dict[str, Any]:
    text = ""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProjectError(f"not valid TOML: {error}{unclosed(text, str(error))}", FILE) from error
    except UnicodeDecodeError as error:
        raise ProjectError(f"not UTF-8 text: {error.reason} at byte {error.start}", FILE) from error
    except OSError as error:
        raise ProjectError(f"cannot be read: {error.strerror}", FILE) from error


def _rules(raw: Mapping[str, Any], folder: Path) -> Rules:
    given = raw.get("plugins", {})
    if not isinstance(given, dict):
        raise ProjectError(f"expected a table, got {given!r}", f"{FILE}, plugins")
    plugins = _record(Plugins, given, "plugins", folder)
    return Rules.of(plugins.allow, plugins.deny)


def _integer(raw: dict[str, Any], key: str, default: int, least: int) -> int:
    value = raw.pop(key, default)
    if type(value) is not int or value < least:
        raise ProjectError(f"expected an integer of at least {least}, got {value!r}", f"{FILE}, {key}")
    return value


def _tables(section: str, raw: Mapping[str, Any], mistakes: Mistakes) -> list[Table]:
    tables = [mistakes.of(_table, section, name, values) for name, values in raw.items()]
    return [table for table in tables if table]


def _table(section: str, name: str, values: Any) -> Table:
    where = f"{FILE}, {section}.{name}"
    if not isinstance(values, dict):
        raise ProjectError(f"expected a table [{section}.<name>], got {values!r}", where)
    if not name.replace("-", "_").isidentifier():
        raise ProjectError(f"a step's name has letters, digits, - and _, got '{name}'", where)
    if "use" not in values:
        raise ProjectError("`use` is missing: it names the plugin", where)
    # A trainer's `steps` is a number.
    _shaped({key: value for key, value in values.items() if key != "steps" or section == "data"}, where)
    return Table(section, name, values)


def _shaped(values: Mapping[str, Any], where: str) -> None:
    """Check the keys whose value names plugins: a list of them, or one."""
    for key in ("steps", "guards", "postprocessors"):
        given = values.get(key, [])
        if not isinstance(given, list):
            raise ProjectError(f"expected a list of names or tables, got {given!r}", f"{where}.{key}")
        for spec in given:
            if not isinstance(spec, str | dict):
                raise ProjectError(
                    f"expected the name of a plugin, or a table with `use`, got {spec!r}", f"{where}.{key}"
                )
    for key in ("rollout", "server"):
        if not isinstance(values.get(key, ""), str | dict):
            raise ProjectError(
                f"expected the name of a plugin, or a table with `use`, got {values[key]!r}", f"{where}.{key}"
            )


def _requirement(name: str, values: Any, folder: Path) -> Requirement:
    where = f"requirements.{name}"
    if not isinstance(values, dict):
        raise ProjectError(f"expected a table with `metric` and `min` or `max`, got {values!r}", f"{FILE}, {where}")
    requirement: Requirement = _record(Requirement, values | {"name": name}, where, folder)
    if (requirement.min is None) == (requirement.max is None):
        raise ProjectError("a requirement has either `min` or `max`", f"{FILE}, {where}")
    if not math.isfinite(requirement.bound):
        raise ProjectError(f"a bound is a finite number, got {requirement.bound}", f"{FILE}, {where}")
    return requirement


def _record(cls: type[Any], raw: Mapping[str, Any], section: str, folder: Path) -> Any:
    """Structure a table into an attrs record, key by key, so that each error names its key."""
    import typing

    hints, mistakes = typing.get_type_hints(cls), Mistakes()
    values = {}
    for key, value in raw.items():
        where = f"{FILE}, {section}.{key}"
        if key in hints:
            values[key] = mistakes.of(structure, value, hints[key], where, folder)
        else:
            mistakes.add(f"unknown key '{key}' (known: {', '.join(hints)}){near_miss(key, hints)}", where)
    # What is missing may be there, misspelt.
    mistakes.tell()
    missing = [a.name for a in attrs.fields(cls) if a.default is attrs.NOTHING and a.name not in values]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        told = " and ".join([", ".join(f"`{name}`" for name in missing[:-1]), f"`{missing[-1]}`"][len(missing) == 1 :])
        raise ProjectError(f"{told} {are} missing", f"{FILE}, {section}")
    return cls(**values)
