"""The first plugin of each kind: small, and all there."""

from __future__ import annotations

from mlm.scaffold.body import Body
from mlm.scaffold.own_tests import ANSWERS, FOLDER, LINES, MODEL

_PATHS = ("pathlib Path", "typing Any")

BODIES = {
    "starters": Body(
        "Writes a project with one dataset.",
        """
    @mlm.hookimpl
    def mlm_start(self, folder: Path, seed: int) -> None:
        (folder / "rows.jsonl").write_text('{"text": "a row"}\\n', encoding="utf-8")
        (folder / "mlm.toml").write_text(PROJECT.replace("SEED", str(seed)), encoding="utf-8")
""",
        ("pathlib Path",),
        '''
PROJECT = """
seed = SEED

[problem]
name = "new"
task = "chat"
purpose = "Answer questions."

[data.rows]
use = "jsonl"
path = "rows.jsonl"
"""
''',
    ),
    "reviews": Body(
        "Asks who answers for the model.",
        """
    @mlm.hookimpl
    def mlm_review(self, problem: mlm.Problem) -> list[mlm.Finding]:
        if problem.owner:
            return []
        return [mlm.Finding("no-owner", "nobody answers for the model", "gap", advice="name an `owner` in [problem]")]
""",
    ),
    "sources": Body(
        "Reads a text file, a row a line.",
        """
    path: Path = mlm.setting(help="the file")

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        import pyarrow as pa

        lines = self.path.read_text(encoding="utf-8").splitlines()
        rows = [
            {"row_id": f"{number:08}", "source": f"{self.path.name}:{number}", "text": line}
            for number, line in enumerate(lines, start=1)
        ]
        with context.writer() as writer:
            writer.write(mlm.Batch(pa.Table.from_pylist(rows)))
        return writer.dataset
""",
        ("pathlib Path",),
        "",
        LINES,
        _PATHS,
    ),
    "transforms": Body(
        "Cuts white space at both ends of each text.",
        """
    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        return batch.map_text(str.strip, "stripped")
""",
    ),
    "models": Body(
        "Brings a model from a folder.",
        """
    path: Path = mlm.setting(help="the model's folder")
    license: str = mlm.setting("", help="its licence, as the Hub writes it; empty where unknown")

    @mlm.hookimpl
    def mlm_import(self, context: mlm.Context) -> mlm.Model:
        shutil.copytree(self.path, context.folder, dirs_exist_ok=True)
        return mlm.Model(context.folder, "transformers", metadata={"license": self.license})
""",
        ("shutil", "pathlib Path"),
        "",
        FOLDER,
        _PATHS,
    ),
    "trainers": Body(
        "Learns how often each word stands in the data.",
        """
    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        counts: Counter[str] = Counter()
        for number, row in enumerate(data.rows(), start=1):
            counts.update(str(row.get("text", "")).split())
            context.progress(number, data.num_rows)
        (context.folder / "counts.json").write_text(json.dumps(dict(sorted(counts.items()))), encoding="utf-8")
        return mlm.Model(context.folder, library="word-counts")
""",
        ("json", "collections Counter"),
    ),
    "evaluators": Body(
        "Share of prompts that get any answer.",
        """
    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (
        mlm.MetricSpec("answer_rate", "share", "higher", "prompts that get any answer"),
    )

    max_tokens: int = mlm.setting(64, validator=validators.ge(1), unit="tokens", help="longest answer")

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        engine = context.load(model)
        rows = list(data.rows())
        prompts = [engine.tokenizer.chat([{"role": "user", "content": row["prompt"]}]) for row in rows]
        answers = [reply.text for reply in engine.generate(prompts, mlm.Sampling(max_tokens=self.max_tokens))]
        examples = tuple(
            mlm.Example(row["row_id"], row["prompt"], answer, score=float(bool(answer.strip())))
            for row, answer in zip(rows, answers, strict=True)
        )
        answered = sum(bool(answer.strip()) for answer in answers)
        measure = proportion("answer_rate", answered, len(answers))
        return mlm.Report((measure,), examples, {"backend": engine.backend})
""",
        ("attrs validators", "mlm.measures proportion"),
        "",
        ANSWERS,
        ("pathlib Path", "mlm.testing Bench ScriptedEngine"),
    ),
    "exporters": Body(
        "Copies a model as it is.",
        """
    @mlm.hookimpl
    def mlm_export(self, model: mlm.Model, context: mlm.Context) -> mlm.Model:
        shutil.copytree(model.path, context.folder, dirs_exist_ok=True)
        return mlm.Model(context.folder, model.library, metadata=dict(model.metadata))
""",
        ("shutil",),
        "",
        MODEL,
        ("pathlib Path", "mlm"),
    ),
    "checks": Body(
        "Refuses a model whose licence nobody stated.",
        """
    @mlm.hookimpl
    def mlm_check(self, candidate: mlm.Candidate) -> mlm.Verdict:
        stated = candidate.version.node.metadata.get("license")
        if stated:
            return mlm.Verdict("pass", "licence-stated", f"its licence is {stated}")
        return mlm.Verdict("fail", "no-licence", "nobody stated the model's licence")
""",
    ),
    "servers": Body(
        "Answers each prompt with the prompt.",
        """
    @mlm.hookimpl
    def mlm_load(self, model: mlm.Model) -> mlm.Engine:
        return EchoingEngine()
""",
        ("collections.abc AsyncGenerator Mapping Sequence", "typing Any"),
        '''
class CodePoints:
    """A tokenizer whose tokens are code points."""

    eos_ids: frozenset[int] = frozenset()

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(map(chr, ids))

    def chat(self, messages: Sequence[Mapping[str, Any]]) -> list[int]:
        return self.encode(str(messages[-1]["content"]))

    def without_special(self, text: str) -> str:
        return text


class EchoingEngine:
    """An engine without weights."""

    def __init__(self) -> None:
        self.tokenizer: mlm.Tokenizer = CodePoints()
        self.backend = "echo 1"
        self.max_length = 100_000

    def generate(self, prompts: Sequence[Sequence[int]], sampling: mlm.Sampling) -> list[mlm.Generation]:
        kept = [tuple(prompt[: sampling.max_tokens]) for prompt in prompts]
        return [mlm.Generation(ids, self.tokenizer.decode(ids), "stop") for ids in kept]

    async def stream(self, prompt: Sequence[int], sampling: mlm.Sampling) -> AsyncGenerator[Sequence[int], None]:
        for token in prompt[: sampling.max_tokens]:
            yield [token]

    def logprobs(self, sequences: Sequence[Sequence[int]]) -> list[list[float]]:
        return [[0.0] * (len(sequence) - 1) for sequence in sequences]

    def close(self) -> None:
        """Nothing is held."""
''',
        MODEL,
        ("pathlib Path", "mlm"),
    ),
    "guards": Body(
        "Blocks texts with a forbidden word.",
        """
    words: list[str] = mlm.setting(factory=lambda: ["password"], help="words that no text may have")

    @mlm.hookimpl
    def mlm_guard(self) -> mlm.Guard:
        return ForbiddenWords(self.words)
""",
        ("collections.abc Sequence", "typing Literal"),
        '''
class ForbiddenWords:
    """Judges texts by their words."""

    def __init__(self, words: Sequence[str]) -> None:
        self.name = "words"
        self.holdback = max(map(len, words), default=0)
        self._words = [word.casefold() for word in words]

    async def judge(self, text: str, direction: Literal["prompt", "completion"]) -> mlm.Judged:
        found = next((word for word in self._words if word in text.casefold()), None)
        if found is None:
            return mlm.Judged("allow", text)
        return mlm.Judged("block", "", "forbidden-word", f"the {direction} has '{found}'")
''',
    ),
    "postprocessors": Body(
        "Drops white space at the end of a response.",
        """
    @mlm.hookimpl
    def mlm_postprocess(self) -> mlm.Postprocessor:
        return TrimmedEnds()
""",
        (),
        '''
class TrimmedStream:
    """Holds white space back until something follows it."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        whole = self._held + text
        kept = whole.rstrip()
        self._held = whole[len(kept) :]
        return kept

    def close(self) -> str:
        return ""


class TrimmedEnds:
    """Opens a stream for each response."""

    name = "trimming"

    def open(self) -> mlm.TextStream:
        return TrimmedStream()
''',
    ),
    "rollouts": Body(
        "Shows a new version to a tenth of all visitors, then to all.",
        """
    min_requests: int = mlm.setting(100, help="requests before it goes on", unit="requests")

    @mlm.hookimpl
    def mlm_rollout(self) -> mlm.Rollout:
        return TenthThenAll(self.min_requests)
""",
        ("zlib", "collections.abc Sequence", "typing Any"),
        '''
class TenthThenAll:
    """Routes visitors by a hash of their key."""

    first_share = 0.1

    def __init__(self, min_requests: int) -> None:
        self._least = min_requests

    def route(self, key: str, arms: Sequence[Any]) -> Any:
        place = zlib.crc32(key.encode()) / 2**32 * sum(arm.share for arm in arms)
        for arm in arms:
            place -= arm.share
            if place < 0:
                return arm
        return arms[-1]

    def judge(self, stage: mlm.Stage) -> mlm.Move:
        if any(not verdict.passed for verdict in stage.verdicts):
            return mlm.Move("rollback", 0.0, "a requirement does not hold")
        if stage.requests.get(stage.candidate, 0) < self._least:
            return mlm.Move("hold", stage.share, f"fewer than {self._least} requests")
        return mlm.Move("finish", 1.0, "every requirement holds")
''',
    ),
    "targets": Body(
        "Says that it serves what it is told to.",
        """
    @mlm.hookimpl
    def mlm_apply(self, desired: mlm.Desired, context: mlm.Context) -> mlm.Observed:
        for arm in desired.arms:
            context.admit(arm.node)
        return mlm.Observed(desired.revision, url="nowhere", ready=True)
""",
    ),
    "monitors": Body(
        "Measures how many responses are empty.",
        """
    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (
        mlm.MetricSpec("empty_rate", "share", "lower", "responses without any text"),
    )

    @mlm.hookimpl
    def mlm_measure(self, window: mlm.Window) -> list[mlm.Signal]:
        empty = sum(not exchange.response.strip() for exchange in window.exchanges)
        measure = proportion("empty_rate", empty, len(window.exchanges))
        return [mlm.Signal(measure, window.deployment, window.node)]
""",
        ("mlm.measures proportion", "typing ClassVar"),
    ),
    "improvers": Body(
        "Proposes more training where visitors complain.",
        """
    step: str = mlm.setting("chat", help="training step")
    complaints: int = mlm.setting(50, help="fewer propose nothing")

    @mlm.hookimpl
    def mlm_improve(self, window: mlm.Window) -> mlm.Proposal | None:
        bad = sum(feedback.rating < 0 for feedback in window.feedback.values())
        if bad < self.complaints:
            return None
        change = {f"training.{self.step}": {"steps": 2000}}
        return mlm.Proposal("train longer", f"{bad} complaints", (f"train '{self.step}' for 2000 steps",), set=change)
""",
    ),
    "triggers": Body(
        "Retires a version that nobody asked for a while.",
        """
    days: float = mlm.setting(90.0, help="age from which a version without traffic goes", unit="days")

    @mlm.hookimpl
    def mlm_assess(self, version: mlm.Living) -> mlm.Verdict:
        if version.share == 0 and version.age_seconds > 86_400 * self.days:
            return mlm.Verdict("fail", "unused", f"it has no traffic, and is older than {self.days:g} days")
        return mlm.Verdict("pass", "in-use", "it is in use, or young")
""",
    ),
    "policies": Body(
        "Counts how many steps ended in which way.",
        """
    @mlm.hookimpl
    def mlm_observe(self, event: mlm.StepEvent) -> None:
        COUNTS[event.status] += 1
""",
        ("collections Counter",),
        "COUNTS: Counter[str] = Counter()",
    ),
    "executors": Body(
        "Runs each step in a thread.",
        """
    @mlm.hookimpl
    def mlm_execute(self, work: Callable[[], Any]) -> Any:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(work).result()
""",
        ("collections.abc Callable", "concurrent.futures ThreadPoolExecutor", "typing Any"),
    ),
    "commands": Body(
        "Adds a command that says hello.",
        """
    @mlm.hookimpl
    def mlm_command(self) -> click.Command:
        return click.Command("hello", callback=lambda: click.echo("hello"), help="Say hello.")
""",
        ("click",),
    ),
}
