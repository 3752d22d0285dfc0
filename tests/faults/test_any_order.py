"""Any sequence of run, promote, deploy, recall, undo, retire, erase and gc keeps what always holds."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from invariants import broken
from trial import LESSONS, LIFE, TrialProject

from mlm.gates import admission

PEOPLE = ("ada", "bob", "eve")
TRIED: Counter[str] = Counter()
"""What was done, and whether it was done or refused."""


class AnyOrder(RuleBasedStateMachine):
    """A project whose user does whatever comes to mind; the model of it is what was flagged and who was erased."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp())
        self.project = TrialProject(self.place / "project")
        self.project.folder.mkdir()
        self.project.jsonl("exam.jsonl", LESSONS[:12])
        self.project.write(LIFE.replace("min = 0.8", "min = 0.5"))
        self.project.change("[requirements]", '[access]\nerase = ["tester"]\nrecall = ["tester"]\n\n[requirements]')
        self.flagged: dict[int, set[int]] = {}
        self.erased: set[str] = set()

    def teardown(self) -> None:
        shutil.rmtree(self.place)

    def does(self, *arguments: str) -> bool:
        """Give a command; what is refused is refused in lines of words."""
        answer = self.project.mlm(*arguments)
        assert answer.code in (0, 1), answer.err
        assert "Traceback" not in answer.err
        # What failed of a run stands among its steps.
        assert answer.code == 0 or answer.err or "FAILED" in answer.out
        TRIED[f"{arguments[0]}{' refused' * answer.code}"] += 1
        return answer.code == 0

    @initialize(owner=st.sampled_from(PEOPLE))
    def life_begins(self, owner: str) -> None:
        self.teach(12, owner)

    @rule(known=st.integers(1, 12), owner=st.sampled_from(PEOPLE))
    def teach(self, known: int, owner: str) -> None:
        """Make new versions: of a model that knows much or little, from rows of one person and of nobody."""
        rows = [{**row, "user": owner if number % 3 == 0 else "nobody"} for number, row in enumerate(LESSONS[:known])]
        self.project.jsonl("lessons.jsonl", rows)
        self.does("run")

    @rule(data=st.data())
    def promote(self, data: st.DataObject) -> None:
        self.does("promote", data.draw(st.sampled_from(self.refs("chat"))))

    @rule()
    def deploy(self) -> None:
        self.does("deploy")

    @rule()
    def reconcile(self) -> None:
        self.does("reconcile", "--yes")

    @precondition(lambda self: self.serves())
    @rule(times=st.integers(1, 3))
    def visit(self, times: int) -> None:
        self.project.visit(LESSONS[:12], times)
        TRIED["visit"] += 1

    @rule(data=st.data())
    def retire(self, data: st.DataObject) -> None:
        self.does("retire", data.draw(st.sampled_from(self.refs("chat"))), "--reason", "old")

    @rule(data=st.data())
    def recall(self, data: st.DataObject) -> None:
        ref = data.draw(st.sampled_from(self.refs("chat", "lessons", "exam", "quality")))
        with self.project.registry() as registry:
            before = {recall.id for recall in registry.recalls.standing()}
        if self.does("recall", ref, "--reason", "bad"):
            with self.project.registry() as registry:
                (made,) = (recall for recall in registry.recalls.standing() if recall.id not in before)
                self.flagged[made.id] = {registry.node(ref).id}

    @precondition(lambda self: self.flagged)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        recall = data.draw(st.sampled_from(sorted(self.flagged)))
        assert self.does("recall", "--undo", str(recall), "--reason", "a mistake")
        del self.flagged[recall]

    @rule(data=st.data())
    def think_better_of_it(self, data: st.DataObject) -> None:
        """Recall, and undo it at once: everything is where it was."""
        before = self.stands()
        count = len(self.flagged)
        self.recall(data)
        if len(self.flagged) > count:
            last = max(self.flagged)
            assert self.does("recall", "--undo", str(last), "--reason", "a mistake")
            del self.flagged[last]
        assert self.stands() == before

    @rule(person=st.sampled_from(PEOPLE))
    def erase(self, person: str) -> None:
        if self.does("erase", "--subject", person, "--reason", "asked to", "--yes"):
            self.erased.add(person)

    @rule()
    def collect(self) -> None:
        assert self.does("gc", "--yes")

    @invariant()
    def what_always_holds(self) -> None:
        assert broken(self.project.folder / ".mlm") == []

    @invariant()
    def the_recalled_are_exactly_what_rests_on_a_flagged_node(self) -> None:
        beneath = self.beneath(set().union(*self.flagged.values()))
        with self.project.open() as workspace:
            models = {version.node.id for version in workspace.registry.models.versions()}
            refused = {node for node in models if admission(workspace, node).code == "model_recalled"}
        assert refused == models & beneath

    @invariant()
    def nobody_who_was_erased_is_in_a_living_dataset(self) -> None:
        with self.project.registry() as registry:
            buried = registry.erasures.buried()
            living = [node for node in registry.nodes(kind="dataset") if node.id not in buried]
            assert (
                self.erased & {owner for node in living for owner in owners(registry.objects.path(node.digest))}
                == set()
            )

    def refs(self, *names: str) -> list[str]:
        """Return the refs of all nodes of these steps, oldest first."""
        with self.project.registry() as registry:
            return [node.ref for node in reversed(registry.nodes()) if node.name.partition(":")[0] in names]

    def beneath(self, nodes: set[int]) -> set[int]:
        """Walk down all edges, as plainly as can be."""
        children = defaultdict(set)
        with self.project.registry() as registry:
            for source, target in registry.database.query("SELECT source, target FROM edges"):
                children[source].add(target)
        found, left = set(nodes), list(nodes)
        while left:
            fresh = children[left.pop()] - found
            found |= fresh
            left += fresh
        return found

    def serves(self) -> bool:
        with self.project.registry() as registry:
            current = registry.deployments.current("api")
            return bool(current and current.arms)

    def stands(self) -> object:
        """Return where the aliases and the traffic are."""
        with self.project.registry() as registry:
            current = registry.deployments.current("api")
            aliases = {alias.name: alias.node for alias in registry.models.aliases()}
            return aliases, [(arm.node, arm.share) for arm in current.arms] if current else []


def owners(dataset: Path) -> set[str]:
    """Return whom the rows of a stored dataset are about."""
    import pyarrow.parquet as pq

    tables = [pq.read_table(file) for file in (dataset / "data").glob("*.parquet")]
    return {row for table in tables if "user" in table.column_names for row in table.column("user").to_pylist()}


def lives(examples: int, steps: int) -> None:
    """Live many lives, and print what was tried."""
    TRIED.clear()
    health = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=health
        ),
    )
    print(f"{TRIED.total()} commands in {examples} lives, nothing lost:", dict(sorted(TRIED.items())))


@pytest.fixture(autouse=True)
def _somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLM_USER", "tester")


def test_any_order_of_commands_keeps_what_always_holds() -> None:
    lives(examples=6, steps=15)


@pytest.mark.heavy
def test_long_lives_in_any_order_keep_what_always_holds() -> None:
    lives(examples=40, steps=30)
    assert {"run", "promote", "deploy", "recall", "retire", "erase", "gc", "visit"} <= TRIED.keys()
