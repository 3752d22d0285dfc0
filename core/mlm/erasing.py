"""The right to erasure: a person's rows and exchanges leave the registry, and what cannot leave is said plainly.

The order makes it safe to stop anywhere: the ledger first, then the exchanges, then new versions of the datasets, then
one transaction that puts tombstones in the place of the old ones, then the bytes. Begun again, it goes on where it
stopped.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from attrs import asdict, evolve

from mlm.certificates import AffectedModel, Certificate, Erased
from mlm.collecting import living_digests
from mlm.erased_rows import Held, held_rows, id_meant, matching_ids, without
from mlm.errors import MlmError
from mlm.honouring import pending
from mlm.ledger import Entry, Ledger
from mlm.locking import alone
from mlm.row_files import lines_about
from mlm.workspace import Workspace
from mlm_registry import Erasure, Execution, Node, NotFound, Registry
from mlm_registry.erasing import ERASED


def erase(
    workspace: Workspace, *, subject: str = "", rows: Sequence[str] = (), by: str, reason: str, yes: bool = False
) -> Erased:
    """Erase a person, or single rows; without `yes` say what would be erased.

    Args:
        rows: Ids, beginnings of one, or sources such as `facts.jsonl:12`.

    Raises:
        NotFound: The registry holds nothing of that person, and none of the rows, or a name means several rows.
        MlmError: `[access]` gives erasure to others, or a run or a reconciliation is at work.
    """
    workspace.allowed("erase", by)
    registry = workspace.registry
    with alone(registry.folder):
        ledger = Ledger.read(registry.folder)
        _all_readable(registry)
        # What an erasure that was cut short had promised comes first.
        taken_up = _reapplied(workspace, ledger, by) if yes else []
        entry = _entry(workspace, ledger, subject, rows, by, reason)
        if entry is None and taken_up:
            return taken_up[-1]
        if entry is None:
            expected = "what the columns say" if subject else "a row that is stored, as `mlm data sample` names them"
            raise NotFound(f"nothing is stored of {subject or ', '.join(rows)!r}; expected {expected}")
        if not yes:
            return Erased(False, _certificate(workspace, ledger, entry))
        ledger.add(entry)
        return _erased(workspace, ledger, entry)


def reapply(workspace: Workspace, *, by: str) -> list[Erased]:
    """Erase again what the ledger says was erased and a restored backup brought back."""
    workspace.allowed("erase", by)
    with alone(workspace.registry.folder):
        return _reapplied(workspace, Ledger.read(workspace.registry.folder), by)


def honour(registry: Registry) -> None:
    """Delete what was erased and is here: bytes of buried nodes, and exchanges of erased people."""
    ledger = Ledger.read(registry.folder)
    if ledger.entries:
        _unlink(registry)
        if registry.has_exchanges:
            registry.exchanges.erase(_erased_exchanges(registry, ledger))


def _erased_exchanges(registry: Registry, ledger: Ledger) -> list[str]:
    """List exchanges that an erasure names, and those that an erased person had asked before it."""
    when = {entry.subject: entry.at for entry in ledger.entries if entry.subject}
    named = {exchange for entry in ledger.entries for exchange in entry.exchanges}
    found = [id for id in registry.exchanges.ids() if ledger.digest("exchange", id) in named]
    for user in registry.exchanges.users():
        if (until := when.get(ledger.digest("subject", user))) is not None:
            found += registry.exchanges.of_user(user, until=until)
    return found


def _reapplied(workspace: Workspace, ledger: Ledger, by: str) -> list[Erased]:
    done = [_erased(workspace, ledger, evolve(entry, by=by)) for entry in pending(workspace.registry)]
    honour(workspace.registry)
    return done


def _entry(
    workspace: Workspace, ledger: Ledger, subject: str, rows: Sequence[str], by: str, reason: str
) -> Entry | None:
    """Return the ledger's entry for what is asked: the person, the ids of their rows, and of their exchanges."""
    registry = workspace.registry
    who = ledger.digest("subject", subject) if subject else ""
    asked = tuple(ledger.digest("row", id_meant(registry, row)) for row in rows)
    entry = Entry(who, asked, _exchanges_of(registry, ledger, subject), by, reason, time.time())
    ids = matching_ids(registry, ledger, entry)
    ids.update(row_id for lines in lines_about(workspace, ledger, entry) for row_id in lines.row_ids)
    if not ids and not entry.exchanges:
        return None
    # The ids too: a later dataset may have lost the column that names the person.
    found = {ledger.digest("row", row.partition("#")[0]) for row in ids}
    return evolve(entry, rows=tuple(sorted({*asked, *found})))


def _exchanges_of(registry: Registry, ledger: Ledger, subject: str) -> tuple[str, ...]:
    if not subject:
        return ()
    ids = registry.exchanges.of_user(subject)
    return tuple(ledger.digest("exchange", id) for id in ids)


def _all_readable(registry: Registry) -> None:
    """Refuse to certify an erasure that cannot look everywhere."""
    buried = registry.erasures.buried()
    datasets = [node for node in registry.nodes(kind="dataset") if node.id not in buried]
    unseen = [node.ref for node in datasets if not registry.objects.has(node.digest)]
    if unseen:
        raise MlmError(
            f"the bytes of {', '.join(unseen)} are neither here nor at a remote, so nobody can say whom they hold:"
            " bring them back (`mlm pull`, a backup), or recall what rests on them"
        )


def _certificate(workspace: Workspace, ledger: Ledger, entry: Entry) -> Certificate:
    return _certified(workspace, ledger, entry, held_rows(workspace.registry, ledger, entry), {})


def _certified(
    workspace: Workspace, ledger: Ledger, entry: Entry, held: list[Held], new: dict[int, Node | None]
) -> Certificate:
    registry = workspace.registry
    taught, reports = _touched(registry, held)
    versions = registry.models.versions()
    newest: dict[str, int] = {}
    for version in versions:
        newest.setdefault(version.node.name, version.node.id)
    steps = {step.name for step in workspace.steps}
    models = []
    for version in reversed(versions):
        if version.node.id in taught and version.state != "retired":
            made_again = version.node.name in steps and newest[version.node.name] == version.node.id
            models.append(AffectedModel(version.node.ref, "retrain" if made_again else "retire", version.state))
    return Certificate(
        erasure=entry.name,
        at=entry.at,
        by=entry.by,
        reason=entry.reason,
        rows=sum(count for one in held for count in one.rows.values()),
        exchanges=len(entry.exchanges),
        datasets=tuple((one.node.ref, made.ref if (made := new.get(one.node.id)) else "") for one in held),
        reports=tuple(report.ref for report in reports),
        models=tuple(models),
        files=tuple((_place(workspace, one.file), one.numbers) for one in lines_about(workspace, ledger, entry)),
        unaffected=sum(version.node.id not in taught for version in versions),
    )


def _place(workspace: Workspace, file: Path) -> str:
    return str(file.relative_to(workspace.folder) if file.is_relative_to(workspace.folder) else file)


def _touched(registry: Registry, held: list[Held]) -> tuple[set[int], list[Node]]:
    """Return the models that learned from the rows, and the reports that may show them."""
    splits = {(one.node.id, split) for one in held for split in one.rows if split}
    direct = set()
    for one in held:
        for edge in registry.graph.edges([one.node.id, *registry.graph.downstream(one.node.id, 1)]):
            if edge.source == one.node.id and (not edge.split or (edge.source, edge.split) in splits):
                direct.add(edge.target)
    first = {node.id: node for node in registry.nodes_of(direct) if node.kind != "dataset"}
    taught = {n.id for n in registry.nodes_of(registry.graph.reach(first)) if n.kind == "model"}
    buried = registry.erasures.buried()
    reports = [node for node in first.values() if node.kind == "report" and node.id not in buried]
    return taught, sorted(reports, key=lambda node: node.id)


def _erased(workspace: Workspace, ledger: Ledger, entry: Entry) -> Erased:
    registry = workspace.registry
    held = held_rows(registry, ledger, entry)
    _, reports = _touched(registry, held)
    registry.exchanges.erase(_erased_exchanges(registry, ledger))
    work = registry.folder / "work"
    # What an interrupted step left may hold the rows too.
    shutil.rmtree(work, ignore_errors=True)
    made = {one.node.id: without(registry, ledger, entry, one, work / "erasing") for one in held}
    with registry.transaction(durable=True):
        new = {one.node.id: _replaced(registry, one.node, made[one.node.id]) for one in held}
        certificate = _certified(workspace, ledger, entry, held, new)
        digest = registry.objects.put_bytes(json.dumps(asdict(certificate), indent=1).encode())
        stones = {node: replacement.id if replacement else 0 for node, replacement in new.items()}
        counts = {"rows": certificate.rows, "exchanges": certificate.exchanges, "datasets": len(held)}
        registry.erasures.bury(
            Erasure(entry.name, entry.by, entry.reason, digest, counts),
            {**stones, **{report.id: 0 for report in reports}},
        )
        _amended(registry, entry)
    _unlink(registry)
    shutil.rmtree(work, ignore_errors=True)
    return Erased(True, certificate, digest)


def _replaced(registry: Registry, old: Node, made: Node | None) -> Node | None:
    """Record the new version under the old fingerprint, so that a run finds it in the old one's place."""
    if made is None:
        return None
    before = registry.execution(old.execution)
    started = registry.start(
        Execution(
            step=old.name, stage="erasure", run="erase", plugin="mlm:erase", fingerprint=before.fingerprint,
            settings=before.settings, seed=before.seed,
        )
    )  # fmt: skip
    # It came from the old version: a recall of that is one of this too.
    others = [(role, source.id, split) for role, source, split in registry.inputs(old) if role != ERASED]
    return registry.finish(evolve(started, status="ran"), outputs=[made], inputs=[(ERASED, old.id, ""), *others])[0]


def _amended(registry: Registry, entry: Entry) -> None:
    """Let amendments add what is left of an erased dataset; reject proposals to add one of which nothing is."""
    improvements, reason = registry.improvements, "its rows were erased"

    def left(ref: str) -> int:
        return registry.erasures.in_place_of(registry.node(ref).id)

    for amendment in improvements.amendments():
        if amendment.op == "add" and (node := left(amendment.value)) != registry.node(amendment.value).id:
            improvements.revoke(amendment.id, by=entry.by, reason=reason)
            if node:
                improvements.amend(evolve(amendment, value=registry.node(node).ref, by=entry.by, at=0.0))
    for proposal in improvements.proposals("open") + improvements.proposals("approved"):
        if not all(left(change["value"]) for change in proposal.changes if change["op"] == "add"):
            improvements.decide(proposal.id, "rejected", by=entry.by, reason=reason)


def _unlink(registry: Registry) -> None:
    """Delete the bytes of every buried node, but for files that living ones need."""
    buried = registry.nodes_of(registry.erasures.buried())
    if buried:
        living = living_digests(registry)
        gone = {node.digest for node in buried} - living
        registry.objects.forget(gone, living)
        for digest in gone:
            shutil.rmtree(registry.folder / "indexes" / digest, ignore_errors=True)
