"""Pages tell the truth: their commands run, their code is code, their links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from attrs import frozen

from mlm.bindings import bind
from mlm.cli.main import COMMANDS, cli
from mlm.plugins import Catalogue
from mlm.project import STEP_STAGES
from mlm.steps import KIND_OF_STAGE

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
START = {
    "README.md": "empty",
    "docs/tutorial/first-life.md": "empty",
    "docs/tutorial/first-plugin.md": "bare",
    "docs/how-to/approve-an-improvement.md": "complained",
}
"""What a page's reader has at hand; all others have a project whose steps ran."""
INSTALLING = {
    "pip": "the fixture `empty` installs the tutorial's plugin",
    "make": "`make demo` is the tutorial's first life at one go",
    "git": "there is nothing to clone in a checkout",
    "python3.11": "the tests run in an environment that exists",
    "python": "the tests run in an environment that exists",
    "source": "the tests run in an environment that exists",
}
"""First words of commands that set up what the tests have already, and why they are not run."""


@frozen
class Fence:
    """A fenced block, with the text of the line before it."""

    page: str
    line: int
    info: str
    body: str
    before: str

    @property
    def language(self) -> str:
        return self.info.partition(" ")[0]

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def fences(page: Path) -> Iterator[Fence]:
    """Read the fenced blocks of a page."""
    lines = page.read_text(encoding="utf-8").splitlines()
    opened, before = 0, ""
    for number, line in enumerate(lines, 1):
        if not line.startswith("```"):
            before = line if line.strip() and not opened else before
        elif not opened:
            opened = number
        else:
            body = "\n".join(lines[opened : number - 1]) + "\n"
            yield Fence(name(page), opened, lines[opened - 1][3:], body, before)
            opened, before = 0, ""
    assert not opened, f"{name(page)}:{opened} opens a block that nothing closes"


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def shown(fence: Fence) -> Iterator[tuple[str, list[str]]]:
    """Read the commands of a console block, each with the output that the page shows."""
    command, output = "", list[str]()
    for line in fence.body.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, output
            command, output = line[2:], []
        else:
            assert command, f"{fence.place}: output without a command"
            output.append(line)
    yield command, output


ALL = [fence for page in PAGES for fence in fences(page)]
RUN = [page for page in PAGES if any(f.language == "console" for f in fences(page)) and "reference" not in page.parts]


def of(language: str) -> list[Any]:
    return [pytest.param(fence, id=fence.place) for fence in ALL if fence.language == language]


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("page", "sandbox"), [pytest.param(p, START.get(name(p), "ran"), id=name(p)) for p in RUN], indirect=["sandbox"]
)
def test_the_commands_of_a_page_run_in_their_order(page: Path, sandbox: Any) -> None:
    typed: list[str] = []
    expected: dict[int, list[str]] = {}
    for fence in fences(page):
        if fence.info == "toml mlm.toml":
            typed.append(f"printf %s {shlex.quote(chr(10) + fence.body)} >> mlm.toml")
        elif path := included_path(fence):
            typed.append(f"printf %s {shlex.quote(fence.body)} > {shlex.quote(str(sandbox.folder / path))}")
        if fence.language == "console":
            for command, output in shown(fence):
                if command.split()[0] not in INSTALLING:
                    typed += sandbox.typed(command)
                    expected[len(typed) - 1] = output

    outcomes = sandbox.run(typed)

    for index, output in expected.items():
        outcome = outcomes[index]
        fails = any(line.startswith(("Error:", "FAILED")) for line in output)
        # The quick project asks for training rows, which a review calls an error.
        assert typed[index].startswith("mlm review") or (outcome.code != 0) == fails, (
            f"{typed[index]} ends with {outcome.code}:\n{outcome.out}"
        )
        for line in output:
            pattern = ".*".join(map(re.escape, line.split("...")))
            assert re.search(pattern, outcome.out), f"{typed[index]} does not say {line!r}, but:\n{outcome.out}"


def commands() -> Iterator[tuple[str, str]]:
    """Read every use of `mlm` on a page, in console blocks and in the text."""
    for fence in ALL:
        if fence.language == "console":
            for command, _ in shown(fence):
                for part in re.findall(r"(?:^|[;&|(]\s*|do )(mlm .*?)(?=$|[;&|)<>])", command):
                    yield fence.place, part
    for page in PAGES:
        for code in re.findall(r"`(mlm [^`]+)`", prose(page)):
            yield name(page), " ".join(code.split())


@pytest.mark.parametrize(("place", "command"), sorted(set(commands())))
def test_every_command_and_option_that_a_page_names_exists(place: str, command: str) -> None:
    words = shlex.split(command)[1:]
    options = {option for parameter in cli.params for option in parameter.opts} | {"--help", "--version"}
    verb = next((word for word in words if not word.startswith("-")), "")
    if verb:
        assert verb in COMMANDS, f"{place}: there is no command `mlm {verb}`"
        found = cli.get_command(click.Context(cli), verb)
        assert found is not None
        options |= {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
        if isinstance(found, click.Group):
            named = next((word for word in words[words.index(verb) + 1 :] if not word.startswith("-")), "")
            within = found.commands.get(named)
            assert within or not named or words[words.index(named) - 1].startswith("-"), (
                f"{place}: no `mlm {verb} {named}`"
            )
            options |= {option for parameter in (within.params if within else ()) for option in parameter.opts}
    for word in words:
        if word.startswith("-"):
            assert word.partition("=")[0] in options, f"{place}: `mlm {verb}` has no option {word}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if not re.match(r"[a-z]+:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), f"{name(page)} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_of_the_project_that_a_page_names_exist(page: Path) -> None:
    roots = ("core/", "registry/", "plugins/", "tests/", "docs/", "contrib/")
    for path in re.findall(r"`([\w./-]+)`", prose(page)):
        if path.startswith(roots):
            assert (ROOT / path).exists(), f"{name(page)} names {path}"
        elif path.startswith("mlm/"):
            assert (ROOT / "core" / path).exists(), f"{name(page)} names {path}"


def test_every_page_can_be_reached_from_the_index() -> None:
    linked, todo = set[Path](), [DOCS / "index.md"]
    while todo:
        page = todo.pop()
        if page in linked:
            continue
        linked.add(page)
        targets = re.findall(r"\]\(([^)\s:#]+\.md)\)", prose(page))
        todo += [(page.parent / target).resolve() for target in targets]
    written = {page for page in PAGES if page.is_relative_to(DOCS) and "reference" not in page.parts}
    assert written - linked == set()


@pytest.mark.parametrize("fence", of("python"))
def test_python_on_a_page_compiles(fence: Fence) -> None:
    compile(fence.body, fence.place, "exec")


@pytest.mark.parametrize("fence", of("toml"))
def test_tables_on_a_page_are_what_plugins_take(fence: Fence, tmp_path: Path) -> None:
    catalogue = Catalogue.discover()
    for kind, spec, where in _bound(tomllib.loads(fence.body)):
        use = spec if isinstance(spec, str) else spec["use"]
        if use not in OWN:
            bind(catalogue, kind, spec, f"{fence.place}, {where}", tmp_path, HOOKS.get(where.partition(".")[0]))


OWN = {
    plugin
    for fence in ALL
    if fence.language == "toml"
    for group in tomllib.loads(fence.body).get("project", {}).get("entry-points", {}).values()
    for plugin in group
}
"""Plugins that pages write themselves."""
HOOKS = dict.fromkeys(("training", "alignment"), "mlm_train") | {"export": "mlm_export", "evaluation": "mlm_evaluate"}


def _bound(tables: dict[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """Read kind, table and place of everything that names a plugin."""
    for stage in STEP_STAGES:
        for step, table in tables.get(stage, {}).items():
            settings = {k: v for k, v in table.items() if k not in ("steps", "isolate")}
            yield KIND_OF_STAGE[stage], settings, f"{stage}.{step}"
            yield from (("transforms", spec, f"{stage}.{step}.steps") for spec in table.get("steps", []))
    for deployment, table in tables.get("deployment", {}).items():
        yield from (("guards", spec, f"deployment.{deployment}.guards") for spec in table.get("guards", []))
        if "rollout" in table:
            yield "rollouts", table["rollout"], f"deployment.{deployment}.rollout"
    yield from (("checks", spec, "governance.checks") for spec in tables.get("governance", {}).get("checks", []))


def included() -> list[Any]:
    """Return the blocks that a page gives as the content of a file."""
    found = [(fence, included_path(fence)) for fence in ALL]
    return [pytest.param(fence, path, id=path) for fence, path in found if path]


def included_path(fence: Fence) -> str:
    """Return the file whose content a block is; empty where it is of none."""
    match = re.fullmatch(r"\*\*`(.+)`\*\*", fence.before)
    return match[1] if match else ""


@pytest.mark.parametrize(("fence", "path"), included())
def test_code_that_a_page_includes_is_the_code_of_its_file(fence: Fence, path: str) -> None:
    assert fence.body == ((ROOT / fence.page).parent / path).read_text(encoding="utf-8")


def test_the_tutorial_shows_every_file_of_its_plugin() -> None:
    folder = DOCS / "tutorial" / "mlm-shout"
    endings = (".py", ".toml", ".jsonl")
    files = {str(file.relative_to(folder.parent)) for file in folder.rglob("*") if file.suffix in endings}
    assert files == {param.values[1] for param in included()}


def test_the_plugin_of_the_tutorial_is_in_the_style_of_what_new_writes() -> None:
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length", "120", "--select", "E,F,I,UP,B"]
    style = subprocess.run([*command, "."], cwd=DOCS / "tutorial" / "mlm-shout", capture_output=True, check=False)

    assert style.returncode == 0, style.stdout


def _written(page: str) -> dict[str, Any]:
    """Run the first Python block of a page, and return its names."""
    code = next(fence.body for fence in fences(DOCS / page) if fence.language == "python")
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(code, page, "exec"), names)
    return names


async def test_the_guard_on_its_page_masks_what_it_was_told_to() -> None:
    guard = _written("how-to/write-a-guard.md")["Codenames"](names=["Bluebird"]).mlm_guard()

    judged = await guard.judge("Is bluebird out?", "prompt")

    assert (judged.action, judged.text, judged.code) == ("redact", "Is <NAME> out?", "codename")
    assert (await guard.judge("Is it out?", "prompt")).action == "allow"
    assert guard.holdback >= len("Bluebird")


def test_the_check_on_its_page_refuses_on_its_days_alone() -> None:
    import mlm
    from mlm_registry import ModelVersion, Node

    check = _written("how-to/write-a-check.md")["QuietDays"]
    version = ModelVersion(Node("safe", "model", "0" * 64, version=1), "candidate")
    candidate = mlm.Candidate(version, mlm.Model(Path()), "promote")

    assert check(days=list(range(7))).mlm_check(candidate, None).outcome == "fail"
    assert check(days=[]).mlm_check(candidate, None).outcome == "pass"


def test_the_filter_on_its_page_keeps_to_the_contract_of_transforms(tmp_path: Path) -> None:
    from mlm.testing import Bench, checks_of

    questions = _written("how-to/add-your-own-filter.md")["FewQuestionsTransform"]

    for check in (check for check in checks_of("transforms") if check.kind == "transforms"):
        check.run(Bench("transforms", questions, tmp_path / check.name, lambda folder: {"most": 0}))


def test_the_filter_on_its_page_has_the_names_that_its_new_distribution_has(tmp_path: Path) -> None:
    from mlm.scaffold import write_distribution

    write_distribution("transforms", "few-questions", tmp_path)
    points = tomllib.loads((tmp_path / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]

    page = (DOCS / "how-to" / "add-your-own-filter.md").read_text(encoding="utf-8")
    for name, target in points["mlm.transforms"].items():
        assert f'{name} = "{target}"' in page
        module, _, cls = target.partition(":")
        assert f"`src/{module.replace('.', '/')}.py`" in page
        assert f"class {cls}:" in page
