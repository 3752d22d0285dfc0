"""The hook contract: documented, tested, and kept by every bundled plugin."""

from __future__ import annotations

import inspect
import re
import runpy
from pathlib import Path
from typing import Any

import attrs
import pytest

import mlm
import mlm.testing
from mlm import hookspecs
from mlm.discovery import PluginRef
from mlm.plugins import KINDS, Catalogue, implemented, known_hooks
from mlm.schemas import settings_schema

ROOT = Path(__file__).parents[2]
GENERATOR = runpy.run_path(str(ROOT / "docs" / "generate.py"))
CATALOGUE = Catalogue.discover()
BUNDLED = [ref for ref in CATALOGUE.refs if ref.distribution == "mlm"]
HOOK_TESTS = (ROOT / "tests" / "core" / "test_hooks.py").read_text(encoding="utf-8")

each_hook = pytest.mark.parametrize("hook", known_hooks())
each_plugin = pytest.mark.parametrize("ref", BUNDLED, ids=lambda ref: f"{ref.kind}/{ref.name}")


@each_hook
def test_a_hook_has_a_heading_with_its_exact_arguments(hook: str) -> None:
    page = (ROOT / "docs" / "reference" / "hooks.md").read_text(encoding="utf-8")

    assert f"### {GENERATOR['heading'](getattr(hookspecs, hook))}\n" in page


@each_hook
def test_a_hook_has_a_test(hook: str) -> None:
    assert re.search(rf"^def test_hook_{hook}_\w+\(", HOOK_TESTS, flags=re.MULTILINE), f"write test_hook_{hook}_..."


@each_hook
def test_a_hook_says_what_it_is_and_one_plugin_answers_it(hook: str) -> None:
    specification = getattr(hookspecs, hook)

    assert len((specification.__doc__ or "").splitlines()[0]) > 20
    assert specification.mlm_spec["firstresult"] is True


def test_every_object_that_hooks_take_or_give_is_on_the_page_of_objects_with_a_note_for_each_field() -> None:
    page = (ROOT / "docs" / "reference" / "objects.md").read_text(encoding="utf-8")
    elsewhere = {"Measure", "MetricSpec", "Secret"}
    wanted = {
        name
        for name in mlm.__all__
        if inspect.isclass(getattr(mlm, name)) and not issubclass(getattr(mlm, name), Exception)
    }

    assert set(re.findall(r"^### mlm\.(\w+)$", page, flags=re.MULTILINE)) == wanted - elsewhere
    assert [line for line in page.splitlines() if line.startswith("| `") and line.endswith("|  |")] == []


def test_every_public_name_of_the_kit_is_on_its_page_with_a_note_for_each_field() -> None:
    page = (ROOT / "docs" / "reference" / "testing.md").read_text(encoding="utf-8")
    names = re.findall(r"import (\w+) as \1$", inspect.getsource(mlm.testing), flags=re.MULTILINE)

    assert len(names) > len(KINDS)
    assert set(re.findall(r"^(?:## |\| `)(\w+)(?:`.*)?$", page, flags=re.MULTILINE)) >= set(names)
    assert [line for line in page.splitlines() if line.startswith("| `") and line.endswith("|  |")] == []


@each_plugin
def test_a_bundled_plugin_loads_and_implements_its_kind(ref: PluginRef) -> None:
    cls = CATALOGUE.load(ref)

    assert set(implemented(cls)) <= set(known_hooks())
    assert not KINDS[ref.kind] or set(implemented(cls)) & set(KINDS[ref.kind])


@each_plugin
def test_a_bundled_plugin_says_what_it_does_and_what_each_setting_is(ref: PluginRef) -> None:
    cls = CATALOGUE.load(ref)
    first = (cls.__doc__ or "").splitlines()[0]

    assert first.endswith(".")
    assert 10 < len(first) < 100
    assert [row["name"] for row in settings_schema(cls) if not row["help"]] == []


@each_plugin
def test_a_bundled_plugin_takes_its_settings_by_name(ref: PluginRef) -> None:
    cls = CATALOGUE.load(ref)

    assert all(attribute.kw_only for attribute in attrs.fields(cls) if attribute.init)


def test_every_kind_has_a_bundled_plugin_but_commands() -> None:
    assert set(KINDS) - {ref.kind for ref in BUNDLED} == {"commands"}


@pytest.mark.parametrize("page", sorted(GENERATOR["pages"]()))
def test_a_reference_page_is_what_the_code_says(page: str) -> None:
    made: dict[str, Any] = GENERATOR["pages"]()

    assert (ROOT / "docs" / "reference" / page).read_text(encoding="utf-8") == made[page], "run `make docs`"
