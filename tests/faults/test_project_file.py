"""Mistakes in `mlm.toml`: one line that says what, where and what to do; and nothing has run."""

from __future__ import annotations

import pytest
from trial import TrialProject

STEPS_IN_A_CIRCLE = """
[data.a]
use = "mix"
inputs = ["b"]

[data.b]
use = "mix"
inputs = ["a"]
"""

CONTRACT = 'path = "lessons.jsonl"\nsteps = [{ use = "validate", columns = { word = %s } }]'


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        pytest.param(
            '"memory"', '"memory"\nmoost = 3',
            "unknown setting 'moost' (known: data, isolate, model, most, workers); did you mean 'most'?"
            "  [mlm.toml, training.chat.moost]",
            id="an unknown setting",
        ),
        pytest.param(
            "[problem]", "[problem]\npurpsoe = 'x'",
            "unknown key 'purpsoe' (known: name, task, purpose, owner, risk_tier, abuse, constraints, languages, "
            "license, value_per_request_usd, requests_per_month, cost_per_cpu_hour_usd); did you mean 'purpose'?"
            "  [mlm.toml, problem.purpsoe]",
            id="an unknown key of the problem",
        ),
        pytest.param(
            "[training.chat]", "[trainnig.chat]",
            "unknown table or key 'trainnig'; did you mean 'training'?  [mlm.toml, trainnig]",
            id="an unknown table",
        ),
        pytest.param(
            '"memory"', '"memory"\nmost = "3"',
            "expected int | None, got '3'",
            id="a setting of the wrong type",
        ),
        pytest.param(
            "min = 0.1", 'min = "0.1"',
            "expected float | None, got '0.1'",
            id="a bound of the wrong type",
        ),
        pytest.param(
            '"memory"', '"memroy"',
            "no trainer is named 'memroy' (installed: bpe, dpo, failing, full-disk, ghost, hookless, keyed, memory, "
            "misspelt, needs-people, patient, plain, pretrain, sft, text-classifier, unsteady, untyped); did you mean "
            "'memory'?  [mlm.toml, training.chat.use]",
            id="an unknown plugin",
        ),
        pytest.param(
            'use = "memory"', "",
            "`use` is missing: it names the plugin  [mlm.toml, training.chat]",
            id="no plugin",
        ),
        pytest.param(
            "[training.chat]", "[training.lessons]",
            "two steps are named 'lessons': [data.lessons] and [training.lessons]  [mlm.toml]",
            id="two steps of one name",
        ),
        pytest.param(
            'use = "memory"\ndata = "lessons"', 'use = "memory"\ndata = "lesons"',
            "no step is named 'lesons'; did you mean 'lessons'?  [mlm.toml, training.chat.data]",
            id="an unknown step",
        ),
        pytest.param(
            'use = "memory"\ndata = "lessons"', 'use = "memory"\ndata = "chat"',
            "'chat' makes a model, and `data` takes a dataset  [mlm.toml, training.chat.data]",
            id="an artifact of the wrong type",
        ),
        pytest.param(
            'use = "memory"\ndata = "lessons"', 'use = "memory"',
            "'memory' needs `data`, the name of a step that makes a dataset  [mlm.toml, training.chat]",
            id="an input that is missing",
        ),
        pytest.param(
            'use = "memory"\ndata = "lessons"', 'use = "memory"\ndata = "lessons"\nmodel = ["quality", "chat"]',
            "'quality' makes a report, and `model` takes a model  [mlm.toml, training.chat.model]",
            id="a report where a model is due",
        ),
        pytest.param(
            'use = "memory"\ndata = "lessons"', 'use = "memory"\ndata = "lessons"\nmodel = ["chat", "chat"]',
            "`model` takes one model  [mlm.toml, training.chat]",
            id="two models where one is due",
        ),
        pytest.param(
            "[training.chat]", STEPS_IN_A_CIRCLE + "[training.chat]",
            "these steps wait for each other: a -> b -> a  [mlm.toml]",
            id="steps in a circle",
        ),
        pytest.param(
            'metric = "exact_match"', 'metric = "charm"',
            "nothing measures charm: no evaluation of a deployed model, no monitor"
            "  [mlm.toml, requirements.usefulness]",
            id="a requirement that nothing measures",
        ),
        pytest.param(
            "[deployment.api]",
            '[evaluation.second]\nuse = "exact-match"\nmodel = "chat"\ndata = "lessons"\n[deployment.api]',
            'exact_match is measured by quality and second: choose with `by = "quality"`'
            "  [mlm.toml, requirements.usefulness]",
            id="two measures",
        ),
        pytest.param(
            "min = 0.1", 'min = 0.1\nby = "lessons"',
            "step 'lessons' does not measure exact_match on a deployed model (these do: quality)"
            "  [mlm.toml, requirements.usefulness.by]",
            id="a measure that does not measure",
        ),
        pytest.param(
            "min = 0.1", 'min = 0.1\nby = "qualty"',
            "step 'qualty' does not measure exact_match on a deployed model (these do: quality);"
            " did you mean 'quality'?  [mlm.toml, requirements.usefulness.by]",
            id="a measure whose name is misspelt",
        ),
        pytest.param(
            "min = 0.1", "min = 0.1\nmax = 0.2",
            "a requirement has either `min` or `max`  [mlm.toml, requirements.usefulness]",
            id="two bounds",
        ),
        pytest.param(
            'port = 0\nmodel = "chat"', 'port = 0\nmodel = "lessons"',
            "`model` must name a step that makes a model, got 'lessons'  [mlm.toml, deployment.api.model]",
            id="a deployment of a dataset",
        ),
        pytest.param(
            'path = "lessons.jsonl"', 'path = "lessons.jsonl"\nsteps = ["shuot"]',
            "no transform is named 'shuot' (installed: ",
            id="an unknown transform",
        ),
        pytest.param(
            'path = "lessons.jsonl"', 'path = "lessons.jsonl"\nsteps = [{ use = "drop", wrod = "x" }]',
            "unknown setting 'wrod' (known: word); did you mean 'word'?  [mlm.toml, data.lessons.steps[0].wrod]",
            id="an unknown setting of a transform",
        ),
        pytest.param(
            'path = "lessons.jsonl"', CONTRACT % '{ type = "int" }',
            "'type' must be in ('', 'string', 'integer', 'number', 'boolean', 'list', 'struct') (got 'int'); "
            "did you mean 'integer'?  [mlm.toml, data.lessons.steps[0].columns.word]",
            id="a value in a table of settings that a validator refuses",
        ),
        pytest.param(
            'path = "lessons.jsonl"', CONTRACT % '{ requierd = true }',
            "unknown setting 'requierd' (known: max, max_null_share, mean, min, quantiles, required, shares, type, "
            "values); did you mean 'required'?  [mlm.toml, data.lessons.steps[0].columns.word.requierd]",
            id="an unknown setting in a table of settings",
        ),
        pytest.param(
            'path = "lessons.jsonl"', CONTRACT % '{ required = "yes" }',
            "expected bool, got 'yes' ('yes' is not of type bool)"
            "  [mlm.toml, data.lessons.steps[0].columns.word.required]",
            id="a setting of the wrong type in a table of settings",
        ),
        pytest.param(
            'path = "lessons.jsonl"', CONTRACT % '"string"',
            "expected a table, got 'string'  [mlm.toml, data.lessons.steps[0].columns.word]",
            id="a value in the place of a table of settings",
        ),
        pytest.param(
            'path = "lessons.jsonl"', 'path = "lessons.jsonl"\nstep = ["schema"]',
            "unknown setting 'step' (known: columns, encoding, isolate, max_row_bytes, on_error, path, steps); did you "
            "mean 'steps'?  [mlm.toml, data.lessons.step]",
            id="a misspelt chain",
        ),
        pytest.param(
            'path = "lessons.jsonl"', 'path = "lessons.jsonl"\nsteps = 5',
            "expected a list of names or tables, got 5  [mlm.toml, data.lessons.steps]",
            id="a chain that is a number",
        ),
        pytest.param(
            'path = "lessons.jsonl"',
            'path = "lessons.jsonl"\nsteps = [{ use = "quality", rules = ["c4"], limits.c4.min_sentence = 1 }]',
            "limits.c4: no rule 'min_sentence' (known: min_sentences, max_curly_brackets, max_lorem_ipsum); "
            "did you mean 'min_sentences'?  [mlm.toml, data.lessons.steps[0]]",
            id="a misspelt rule of quality",
        ),
        pytest.param(
            'path = "lessons.jsonl"', 'path = "lessons.jsonl"\nsteps = [  # "]" \n "schema",',
            "not valid TOML: Invalid value (at line 8, column 2); the [ of line 5 is not closed  [mlm.toml]",
            id="an array that is not closed",
        ),
        pytest.param(
            'purpose = "Answer a few questions."', 'purpose = "Answer."\nabuse = [',
            "not valid TOML: Invalid value (at end of document); the [ of line 29 is not closed  [mlm.toml]",
            id="an array that is not closed at the end",
        ),
        pytest.param(
            "[data.lessons]", "seed = 'one'\n[data.lessons]",
            "expected an integer of at least 0, got 'one'  [mlm.toml, seed]",
            id="a seed that is no number",
        ),
        pytest.param(
            "[data.lessons]", "[data.lessons",
            "not valid TOML: ",
            id="no TOML",
        ),
        pytest.param(
            "min = 0.1", "min = [\n0.1 0.2\n]",
            "not valid TOML: Unclosed array (at line 23, column 5)  [mlm.toml]",
            id="an array that is closed, and wrong within",
        ),
        pytest.param(
            'task = "chat"', "",
            "`task` is missing  [mlm.toml, problem]",
            id="a problem without a task",
        ),
        pytest.param(
            'name = "trial"\ntask = "chat"\n', "",
            "`name` and `task` are missing  [mlm.toml, problem]",
            id="a problem without a name and a task",
        ),
        pytest.param(
            'task = "chat"', 'task = "chatt"',
            "expected chat, completion, summarization, code or vision, got 'chatt' (did you mean 'chat'?)"
            "  [mlm.toml, problem.task]",
            id="a task that is none",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_nothing_runs(
    sound: TrialProject, command: str, old: str, new: str, error: str
) -> None:
    sound.change(old, new)

    answer = sound.mlm(command)

    assert answer.code == 1
    assert answer.error.startswith(f"Error: {error}")
    assert answer.out == ""
    assert sound.refs() == set()
    assert sound.left_over() == []


@pytest.mark.parametrize("command", ["run", "plan"])
def test_all_mistakes_are_told_at_once(sound: TrialProject, command: str) -> None:
    sound.change('path = "lessons.jsonl"', 'path = "lesons.jsonl"\nsteps = ["shuot", { use = "drop", wrod = "x" }]')
    sound.change('use = "memory"', 'use = "memory"\nmoost = 3\nwrokers = 2')

    told = sound.mlm(command, *["lessons"] * (command == "run"))
    sound.change('task = "chat"', 'task = "chatt"\npurpsoe = "x"')
    sound.change("min = 0.1", "min = 0.1\nmax = 0.2")
    before = sound.mlm(command)

    assert (told.code, told.out, before.code) == (1, "", 1)
    assert [line.split("  [mlm.toml, ")[1] for line in told.err.splitlines()] == [
        "data.lessons.steps[0].use]", "data.lessons.steps[1].wrod]", "data.lessons.path]", "training.chat.moost]",
        "training.chat.wrokers]",
    ]  # fmt: skip
    assert [line.split("  [mlm.toml, ")[1] for line in before.err.splitlines()] == [
        "problem.task]", "problem.purpsoe]", "requirements.usefulness]",
    ]  # fmt: skip


def test_what_the_tables_lack_is_told_with_what_is_wrong_in_them(sound: TrialProject) -> None:
    sound.change('path = "lessons.jsonl"', 'path = "lesons.jsonl"\nsteps = ["shuot"]')
    sound.change('use = "memory"\ndata =', 'use = "memory"\nmoost = 3\ndta =')
    sound.change("[training.chat]", '[model.basis]\nuse = "folder"\npath = "nowhere"\n\n[training.chat]')

    told = sound.mlm("plan")

    assert [line.split("  [mlm.toml, ")[1] for line in told.err.splitlines()] == [
        "data.lessons.steps[0].use]", "data.lessons.path]", "training.chat]", "training.chat.moost]",
        "training.chat.dta]", "model.basis.path]",
    ]  # fmt: skip
    assert "there is no file" in told.err
    assert "needs `data`" in told.err


def test_requirements_that_nothing_measures_are_told_with_what_is_wrong_in_what_should_live(
    sound: TrialProject,
) -> None:
    sound.change("[problem]", '[requirements.speed]\nmetric = "speeed"\nmax = 1\n\n[problem]')
    sound.change("[problem]", '[requirements.wit]\nmetric = "wit"\nmin = 1\n\n[problem]')
    sound.change("[problem]", '[retirement.old]\nuse = "supersedde"\n\n[problem]')

    planned, run = sound.mlm("plan"), sound.mlm("run")

    places = [line.split("  [mlm.toml, ")[1] for line in planned.err.splitlines()]
    assert places == ["retirement.old.use]", "requirements.speed]", "requirements.wit]"]
    assert sorted(run.err.splitlines()) == sorted(planned.err.splitlines())


def test_a_project_without_a_file_says_how_to_get_one(project: TrialProject) -> None:
    answer = project.mlm("status")

    assert (answer.code, answer.error) == (
        1, f"Error: there is no mlm.toml in {project.folder} or above it: `mlm init atlas` writes a starter project",
    )  # fmt: skip
    assert list(project.folder.iterdir()) == []


def test_a_file_of_another_encoding_says_where(project: TrialProject) -> None:
    (project.folder / "mlm.toml").write_bytes("[problem]\nname = 'Überall'".encode("latin-1"))

    assert project.mlm("plan").error == "Error: not UTF-8 text: invalid continuation byte at byte 18  [mlm.toml]"


def test_a_review_lists_what_nothing_measures_as_an_error(sound: TrialProject) -> None:
    sound.change('metric = "exact_match"', 'metric = "charm"')

    answer = sound.mlm("review", "--json")

    assert answer.code == 1
    assert [(one["severity"], one["title"].partition(":")[0]) for one in answer.json] == [
        ("error", "nothing measures charm")
    ]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("rnu",), "no command is named 'rnu'; did you mean 'run'?"),
        (("run", "--jsno"), "No such option '--jsno'."),
        (("promote",), "Missing argument 'REF'."),
        (("retire", "chat"), "Missing option '--reason'."),
        (("plugins", "--kind", "trainer"), "no kind is named 'trainer' (kinds: "),
        (("feedback", "chatcmpl-1"), "say --up or --down"),
    ],
)
def test_a_mistake_on_the_command_line_exits_with_2(
    sound: TrialProject, arguments: tuple[str, ...], error: str
) -> None:
    answer = sound.mlm(*arguments)

    assert answer.code == 2
    assert answer.err.splitlines()[-1].startswith(f"Error: {error}")


MONITOR = '[monitoring.ratings]\nuse = "ratings"\n'


@pytest.mark.parametrize("command", ["plan", "reconcile"])
@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        pytest.param(
            "port = 0", "port = 70000",
            "'port' must be <= 65535: 70000  [mlm.toml, deployment.api]",
            id="a value that a validator refuses",
        ),
        pytest.param(
            "port = 0", 'port = 0\nguard = ["pii"]',
            "unknown setting 'guard' (known: alias, guard_timeout_seconds, guards, ",
            id="an unknown key of a deployment",
        ),
        pytest.param(
            "port = 0", 'port = 0\nguards = ["pij"]',
            "no guard is named 'pij' (installed: hush, moderation, pii); did you mean 'pii'?"
            "  [mlm.toml, deployment.api.guards.use]",
            id="an unknown guard",
        ),
        pytest.param(
            "port = 0", 'port = 0\nrollout = { use = "canary", shares = [25, 5, 100] }',
            "shares must rise to 100 percent, such as [5, 25, 100]; got [25.0, 5.0, 100.0]"
            "  [mlm.toml, deployment.api.rollout]",
            id="shares that fall",
        ),
        pytest.param(
            "[problem]", '[retirement.old]\nuse = "supersede"\n[problem]',
            "no trigger is named 'supersede' (installed: crashing-trigger, merciless, requirements, superseded); "
            "did you mean 'superseded'?  [mlm.toml, retirement.old.use]",
            id="an unknown trigger",
        ),
        pytest.param(
            "[problem]", '[governance]\npolicies = ["costs"]\n[problem]',
            "no policy is named 'costs' (installed: ",
            id="an unknown policy",
        ),
        pytest.param(
            "[problem]",
            '[training.other]\nuse = "memory"\ndata = "lessons"\n'
            '[deployment.second]\nuse = "shelf"\nmodel = "other"\n[problem]',
            "'second' serves other and 'api' serves chat, and both follow the alias 'production': give one an alias of "
            'its own, such as `alias = "second"`  [mlm.toml, deployment.second.alias]',
            id="deployments of different models with one alias",
        ),
        pytest.param(
            "[problem]", '[improvement.more]\nuse = "corrections"\n[problem]',
            "setting `into` is required  [mlm.toml, improvement.more]",
            id="a required setting that is missing",
        ),
        pytest.param(
            "[problem]", f'{MONITOR}deployment = "apy"\n[problem]',
            "no deployment is named 'apy' (deployments: api); did you mean 'api'?"
            "  [mlm.toml, monitoring.ratings.deployment]",
            id="a monitor of an unknown deployment",
        ),
        pytest.param(
            "[problem]", '[monitoring.drift]\nuse = "drift"\nreference = "lesons"\n[problem]',
            "no step is named 'lesons'; did you mean 'lessons'?  [mlm.toml, monitoring.drift.reference]",
            id="a monitor that compares with an unknown step",
        ),
        pytest.param(
            "[problem]", '[governance]\nchecks = ["licence"]\n[problem]',
            "no check is named 'licence' (installed: card, crashing-check, license, nod, unsure); "
            "did you mean 'license'?  [mlm.toml, governance.checks.use]",
            id="an unknown check",
        ),
    ],
)  # fmt: skip
def test_a_mistake_in_what_should_live_is_found_before_anything_lives(
    sound: TrialProject, command: str, old: str, new: str, error: str
) -> None:
    sound.run()
    sound.change(old, new)

    answer = sound.mlm(command)

    assert (answer.code, answer.out) == (1, "")
    assert answer.error.startswith(f"Error: {error}")
    with sound.registry() as registry:
        assert registry.audit.events() == []


def test_what_is_installed_can_be_looked_at_beside_a_broken_project_file(sound: TrialProject) -> None:
    sound.change("[data.lessons]", "[data.lessons")

    for command in (["plugins", "show", "trainers/sft"], ["plugins", "list"], ["schema"]):
        answer = sound.mlm(*command)
        assert (answer.code, answer.out != "") == (0, True)
        assert answer.error.startswith("Warning: not valid TOML: ")


def test_no_other_distribution_is_used_while_the_rules_cannot_be_read(sound: TrialProject) -> None:
    sound.change("[data.lessons]", '[plugins]\ndeny = ["mlm-fakes"]\nalow = []\n\n[data.lessons]')

    answer = sound.mlm("plugins", "check", "trainers/memory")

    assert (answer.code, answer.out) == (1, "")
    assert "until it can be read, only mlm's own plugins may be used" in answer.err
    assert "mlm-fakes:trainers/memory may not be used" in answer.err


def test_the_rules_of_a_project_file_hold_though_other_tables_are_wrong(sound: TrialProject) -> None:
    sound.change("[data.lessons]", '[plugins]\ndeny = ["mlm-fakes"]\n\n[nonsense]\n\n[data.lessons]')

    answer = sound.mlm("plugins", "list", "--kind", "trainers", "--json")

    states = {row["distribution"]: row["state"] for row in answer.json}
    assert (answer.code, answer.err, states["mlm-fakes"], states["mlm"]) == (0, "", "denied", "ready")
