"""Each broken plugin of the zoo is found by the check that is meant for it, and by no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.conformance.zoo import heavy, judging, reading, surrounding

from mlm.testing import Bench, Broken, Untested, checks_of

ZOO = [*reading.sources(), ("transforms", heavy.Heavy, "imports_lightly"), *judging.animals(), *surrounding.animals()]


@pytest.mark.parametrize(("kind", "cls", "intended"), ZOO, ids=lambda value: getattr(value, "__name__", None))
def test_a_broken_plugin_is_found_by_the_check_that_is_meant_for_it(
    kind: str, cls: type[Any], intended: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlm.testing.guards._SECONDS", 1.0)  # The zoo has no time.
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    found: dict[str, str] = {}
    for check in checks_of(kind):
        try:
            check.run(Bench(kind, cls, tmp_path / check.name))
        except Untested:
            continue
        except Exception as error:
            found[check.name] = f"{type(error).__name__}: {error}"

    assert list(found) == [intended], found
    assert len(found[intended]) > 20


def test_the_zoo_is_large_enough_and_knows_its_checks() -> None:
    assert len(ZOO) >= 20
    known = {check.name for kind, _, _ in ZOO for check in checks_of(kind)}
    assert {intended for _, _, intended in ZOO} <= known
    assert issubclass(Broken, AssertionError)
