"""The step graph: which steps there are, what each needs, in which order they can run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from attrs import evolve, field, frozen

from mlm.bindings import ArtifactKind, Binding, Port, bind, check_files
from mlm.errors import ProjectError, near_miss
from mlm.mistakes import Mistakes
from mlm.plugins import Catalogue
from mlm.project import FILE, Project, Table
from mlm_registry import Amendment

KIND_OF_STAGE = {
    "data": "sources",
    "model": "models",
    "training": "trainers",
    "alignment": "trainers",
    "export": "exporters",
    "evaluation": "evaluators",
}
HOOK_OF_STAGE: dict[str, str | None] = {
    "data": None,
    "model": None,
    "training": "mlm_train",
    "alignment": "mlm_train",
    "export": "mlm_export",
    "evaluation": "mlm_evaluate",
}
OUTPUT_OF_STAGE: dict[str, ArtifactKind] = {
    "data": "dataset",
    "model": "model",
    "training": "model",
    "alignment": "model",
    "export": "model",
    "evaluation": "report",
}


@frozen
class Source:
    """Where an input comes from: a step, and a split of it."""

    step: str
    split: str | None = None

    @property
    def text(self) -> str:
        return f"{self.step}/{self.split}" if self.split else self.step


@frozen
class Input:
    """One port of a step with the steps that feed it."""

    port: Port
    sources: tuple[Source, ...]
    found: bool = False
    """Whether the project file is silent, and the graph says what feeds it."""


@frozen
class Isolation:
    """A process of its own for a step."""

    memory_mb: int | None = None
    """Most memory that it may take, in MB; None means no bound."""


@frozen
class Step:
    """One execution to be: a table of the project file, or one model of an evaluation that has several."""

    name: str
    stage: str
    binding: Binding
    inputs: tuple[Input, ...] = ()
    chain: tuple[tuple[str, Binding, tuple[Input, ...]], ...] = ()
    """Transforms of a data step: name, binding, inputs of its own."""
    added: tuple[str, ...] = ()
    """Dataset nodes that amendments add before the chain."""
    amendments: tuple[Amendment, ...] = field(factory=tuple)
    isolation: Isolation | None = None
    """Whether it runs in a process of its own."""

    @property
    def all_inputs(self) -> tuple[Input, ...]:
        return self.inputs + tuple(i for _, _, inputs in self.chain for i in inputs)

    @property
    def needs(self) -> list[str]:
        """Names of the steps that must be there first."""
        return sorted({source.step for item in self.all_inputs for source in item.sources})


def step_graph(project: Project, catalogue: Catalogue, amendments: Iterable[Amendment] = ()) -> list[Step]:
    """Return the project's steps in an order that can run; ProjectError names the table at fault."""
    from mlm.contamination import with_judging_sets

    standing = [a for a in amendments if a.revoked is None]
    _unique_names(project)
    mistakes = Mistakes()
    stages = {table.name: table.section for table in project.steps}
    found = [mistakes.of(_steps, project, catalogue, table, stages, standing) for table in project.steps]
    steps = [step for made in found for step in made or ()]
    if mistakes.lines:
        mistakes.of(check_step_files, steps)
    mistakes.tell()
    for amendment in standing:
        if amendment.op == "add" and stages.get(amendment.target) != "data":
            raise ProjectError(
                f"amendment {amendment.id} adds rows to '{amendment.target}', which is no data step: revoke it"
            )
    return _ordered(with_judging_sets(steps))


def check_step_files(steps: Iterable[Step]) -> None:
    """Look for every file that steps name; ProjectError tells each that is not there."""
    mistakes = Mistakes()
    for step in steps:
        for binding in (step.binding, *(link for _, link, _ in step.chain)):
            mistakes.of(check_files, binding)
    mistakes.tell()


def _unique_names(project: Project) -> None:
    seen: dict[str, Table] = {}
    # An improvement's dataset is a node under the improvement's name.
    for table in (*project.steps, *project.tables("improvement")):
        if table.name in seen:
            both = f"[{seen[table.name].section}.{table.name}] and [{table.section}.{table.name}]"
            raise ProjectError(f"two steps are named '{table.name}': {both}", FILE)
        seen[table.name] = table


def _steps(
    project: Project, catalogue: Catalogue, table: Table, stages: Mapping[str, str], amendments: list[Amendment]
) -> list[Step]:
    amended = tuple(a for a in amendments if a.target in (table.name, f"{table.section}.{table.name}"))
    values = dict(table.values) | {a.key: a.value for a in amended if a.op == "set"}
    own = ("steps", "isolate") if table.section == "data" else ("isolate",)
    chain, mistakes = values.pop("steps", []) if "steps" in own else [], Mistakes()
    isolation = mistakes.of(_isolation, values.pop("isolate", False), f"{table.where}.isolate")
    kind, hook = KIND_OF_STAGE[table.section], HOOK_OF_STAGE[table.section]
    binding = mistakes.of(bind, catalogue, kind, values, table.where, project.folder, hook, own)
    inputs = mistakes.of(inputs_of, binding, stages) if binding else None
    links = [mistakes.of(_link, project, catalogue, table, i, spec, stages) for i, spec in enumerate(chain)]
    if mistakes.lines:
        # Told beside what else is wrong; alone, a missing file stops only those who need it.
        for bound in (binding, *(link[1] for link in links if link)):
            mistakes.of(check_files, bound) if bound else None
    mistakes.tell()
    assert binding
    step = Step(
        name=table.name,
        stage=table.section,
        binding=binding,
        inputs=inputs or (),
        chain=tuple(link for link in links if link),
        added=tuple(str(a.value) for a in amended if a.op == "add"),
        amendments=amended,
        isolation=isolation,
    )
    return _fan_out(step)


def _isolation(given: Any, where: str) -> Isolation | None:
    if isinstance(given, bool):
        return Isolation() if given else None
    memory = given.get("memory_mb") if isinstance(given, dict) and set(given) == {"memory_mb"} else None
    if type(memory) is not int or memory < 1:
        raise ProjectError(f"expected true, false or {{ memory_mb = 4000 }}, got {given!r}", where)
    return Isolation(memory)


def _link(
    project: Project, catalogue: Catalogue, table: Table, position: int, spec: Any, stages: Mapping[str, str]
) -> tuple[str, Binding, tuple[Input, ...]]:
    where = f"{table.where}.steps[{position}]"
    if not isinstance(spec, str | dict):
        raise ProjectError(f"expected the name of a transform, or a table with `use`, got {spec!r}", where)
    binding = bind(catalogue, "transforms", spec, where, project.folder)
    return binding.ref.name, binding, inputs_of(binding, stages)


def inputs_of(binding: Binding, stages: Mapping[str, str]) -> tuple[Input, ...]:
    """Return what feeds each port of a plugin; ProjectError names the key whose step is unknown or of another type."""
    found = []
    for port in binding.ports:
        if port.name in binding.names:
            where = f"{binding.where}.{port.name}"
            given = binding.names[port.name]
            names = given if isinstance(given, list) else [given]
            if not names:
                raise ProjectError("expected the name of a step, or a list of names, got an empty list", where)
            sources = tuple(_source(name, port, stages, where) for name in names)
            found.append(Input(port, sources))
    return tuple(found)


def _source(name: Any, port: Port, stages: Mapping[str, str], where: str) -> Source:
    if not isinstance(name, str):
        raise ProjectError(f"expected the name of a step, got {name!r}", where)
    step, _, split = name.partition("/")
    if step not in stages:
        raise ProjectError(f"no step is named '{step}'{near_miss(step, stages)}", where)
    made = OUTPUT_OF_STAGE[stages[step]]
    if made != port.kind:
        raise ProjectError(f"'{step}' makes a {made}, and `{port.name}` takes a {port.kind}", where)
    if split and made != "dataset":
        raise ProjectError(f"'{name}': only a dataset has splits, '{step}' makes a {made}", where)
    return Source(step, split or None)


def _fan_out(step: Step) -> list[Step]:
    """Make one step a model of an evaluation that names several; lists of datasets are read as one."""
    for item in step.inputs:
        if item.port.kind != "model" or item.port.many or len(item.sources) == 1:
            continue
        if step.stage != "evaluation" or item.port.is_field:
            raise ProjectError(f"`{item.port.name}` takes one model", step.binding.where)
        others = tuple(i for i in step.inputs if i is not item)
        return [
            evolve(step, name=f"{step.name}:{source.step}", inputs=(Input(item.port, (source,)), *others))
            for source in item.sources
        ]
    return [step]


def _ordered(steps: list[Step]) -> list[Step]:
    by_name = {step.name: step for step in steps}
    position = {step.name: i for i, step in enumerate(steps)}
    sorter: TopologicalSorter[str] = TopologicalSorter({step.name: step.needs for step in steps})
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise ProjectError(f"these steps wait for each other: {circle}", FILE) from None
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=position.__getitem__)
        order += ready
        sorter.done(*ready)
    return [by_name[name] for name in order]
