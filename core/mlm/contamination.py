"""Which evaluation sets judge what a step makes, for inputs that are marked with `mlm.input(judging=True)`.

A model learns from a step where one leads to the other over inputs that are no judging ones: to be compared with
training data is not to be trained on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import evolve

from mlm.bindings import Binding
from mlm.errors import ProjectError
from mlm.problem import Finding
from mlm.steps import Input, Source, Step


def with_judging_sets(steps: list[Step]) -> list[Step]:
    """Fill each judging input that the project file leaves out with the sets that judge a model of that step."""
    return [_filled(step, steps) for step in steps]


def contamination_findings(steps: list[Step]) -> list[Finding]:
    """Return a finding for each evaluation set that a named judging input leaves out."""
    return [
        Finding(
            "contamination",
            f"'{step.name}' is not compared with '{source.text}', by which {' and '.join(names)} judges what learns"
            f" from it",
            "gap",
            "data",
            f"add it to `{item.port.name}`, or leave `{item.port.name}` out: then it is every such set",
            binding.where,
        )
        for step in steps
        for binding, inputs in _plugins(step)
        for item in inputs
        if item.port.judging and not item.found
        for source, names in judging_sets(step.name, steps).items()
        if not _covered(source, item.sources) and not _made_of(source.step, step.name, steps)
    ]


def training_findings(steps: Iterable[Step]) -> list[Finding]:
    """Return an error for each evaluation set of which rows are among those that the evaluated model learns from."""
    by_name, found = {step.name: step for step in steps}, dict[str, Finding]()
    for step in by_name.values():
        if step.stage != "evaluation":
            continue
        models = [source.step for item in step.inputs if item.port.kind == "model" for source in item.sources]
        table = step.name.partition(":")[0]
        for judged in (s for item in step.inputs if item.port.kind == "dataset" for s in item.sources):
            for reader, read in _readers(models, judged, by_name):
                title = f"'{reader}' learns from '{read.text}', and '{table}' judges by the same rows, '{judged.text}'"
                advice = "give it another split, or compare them: a model knows the answers that it was taught"
                found.setdefault(title, Finding("trained-on-test", title, "error", "data", advice, step.binding.where))
    return list(found.values())


def _readers(models: list[str], judged: Source, by_name: Mapping[str, Step]) -> list[tuple[str, Source]]:
    """Return the steps by which models take in rows of an evaluation set, and as what; none that compares with it."""
    names, seen, found = list(models), set[str](), []
    while names:
        name = names.pop()
        if name in seen or name not in by_name:
            continue
        seen.add(name)
        inputs = by_name[name].all_inputs
        if any(item.port.judging and _covered(judged, item.sources) for item in inputs):
            continue
        sources = [source for item in inputs if not item.port.judging for source in item.sources]
        shared = [s for s in sources if s.step == judged.step and (None in (s.split, judged.split) or s == judged)]
        found += [(name, source) for source in shared]
        names += [source.step for source in sources]
    return found


def judging_sets(name: str, steps: Iterable[Step]) -> dict[Source, list[str]]:
    """Return the datasets by which a model that learns from a step is evaluated, and by which evaluations."""
    by_name = {step.name: step for step in steps}
    found: dict[Source, list[str]] = {}
    for step in by_name.values():
        if step.stage != "evaluation":
            continue
        models = [source.step for item in step.inputs if item.port.kind == "model" for source in item.sources]
        if name in _learned_from(models, by_name):
            table = step.name.partition(":")[0]
            for source in (s for item in step.inputs if item.port.kind == "dataset" for s in item.sources):
                evaluations = found.setdefault(source, [])
                evaluations += [table] if table not in evaluations else []
    return found


def _learned_from(names: list[str], by_name: Mapping[str, Step]) -> set[str]:
    found: set[str] = set()
    while names:
        name = names.pop()
        if name not in found and name in by_name:
            found.add(name)
            inputs = (item for item in by_name[name].all_inputs if not item.port.judging)
            names += [source.step for item in inputs for source in item.sources]
    return found


def _plugins(step: Step) -> list[tuple[Binding, tuple[Input, ...]]]:
    return [(step.binding, step.inputs), *((binding, inputs) for _, binding, inputs in step.chain)]


def _filled(step: Step, steps: list[Step]) -> Step:
    return evolve(
        step,
        inputs=step.inputs + _open(step, step.binding, steps),
        chain=tuple((name, binding, inputs + _open(step, binding, steps)) for name, binding, inputs in step.chain),
    )


def _open(step: Step, binding: Binding, steps: list[Step]) -> tuple[Input, ...]:
    ports = [port for port in binding.ports if port.judging and port.name not in binding.names]
    if not ports:
        return ()
    where = f"{binding.where}.{ports[0].name}"
    sources = tuple(judging_sets(step.name, steps))
    if not sources:
        raise ProjectError(
            f"it is left out, and no evaluation judges a model that learns from '{step.name}': name the datasets", where
        )
    for source in sources:
        if _made_of(source.step, step.name, steps):
            raise ProjectError(
                f"it is left out, and '{source.text}', by which such a model is judged, is made of '{step.name}'"
                " itself: split first, and compare in a data step that reads the training split",
                where,
            )
    return tuple(Input(port, sources, found=True) for port in ports)


def _covered(source: Source, given: tuple[Source, ...]) -> bool:
    return any(one.step == source.step and one.split in (None, source.split) for one in given)


def _made_of(name: str, other: str, steps: list[Step]) -> bool:
    """Say whether a step is another one, or comes after it."""
    by_name, names, seen = {step.name: step for step in steps}, [name], set()
    while names:
        one = names.pop()
        if one == other:
            return True
        if one not in seen:
            seen.add(one)
            names += by_name[one].needs
    return False
