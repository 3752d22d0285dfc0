"""What every plugin keeps to, whatever its kind."""

from __future__ import annotations

import subprocess
import sys

import attrs

from mlm.plugins import KINDS, check_class, implemented
from mlm.probing import HEAVY, same_modules
from mlm.schemas import settings_schema
from mlm.testing.bench import Bench
from mlm.testing.checking import ANY, Untested, check, demand


@check(ANY)
def keeps_the_hook_contract(bench: Bench) -> None:
    """It is an attrs class with a hook of its kind, and every hook that it marks exists."""
    check_class(attrs.evolve(bench.ref, kind=bench.kind, name=bench.cls.__name__), bench.cls)
    bench.plugin()


@check(ANY)
def takes_only_what_a_hook_offers(bench: Bench) -> None:
    """Its hooks take parameters that the hook's specification has, under their names."""
    import inspect

    from mlm import hookspecs

    for hook in implemented(bench.cls):
        offered = set(inspect.signature(getattr(hookspecs, hook)).parameters)
        taken = set(inspect.signature(getattr(bench.cls, hook)).parameters) - {"self"}
        unknown = sorted(taken - offered)
        demand(not unknown, f"{hook} takes '{', '.join(unknown)}'; it offers {', '.join(sorted(offered))}")


@check(ANY)
def says_what_it_does(bench: Bench) -> None:
    """Its docstring begins with one sentence, which `mlm plugins show` prints."""
    first = (bench.cls.__doc__ or "").strip().splitlines()[:1]
    demand(
        bool(first) and first[0].endswith(".") and not first[0].startswith(f"{bench.cls.__name__}("),
        f"{bench.cls.__name__} has no docstring that begins with a sentence; say in a line what it does",
    )


@check(ANY)
def explains_its_settings(bench: Bench) -> None:
    """Each setting has a help text, and is passed by name."""
    silent = [row["name"] for row in settings_schema(bench.cls) if row["role"] == "setting" and not row["help"]]
    demand(not silent, f"setting `{', '.join(silent)}` has no help; declare it with `mlm.setting(..., help=...)`")
    placed = [a.name for a in attrs.fields(bench.cls) if a.init and not a.kw_only]
    demand(not placed, f"`{', '.join(placed)}` may be passed by place; decorate with `@define(kw_only=True)`")


@check(ANY)
def imports_lightly(bench: Bench) -> None:
    """Its module imports no heavy library; hooks import what they need."""
    module = bench.cls.__module__
    code = f"import sys, mlm, {module}; print(chr(10) + ' '.join(n for n in {HEAVY!r} if n in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, env=same_modules(), check=False
    )
    if done.returncode:
        raise Untested(f"{module} cannot be imported in a process of its own")
    heavy = done.stdout.splitlines()[-1].split()
    demand(not heavy, f"importing {module} imports {', '.join(heavy)}; import it inside the hook that needs it")


@check(ANY)
def implements_a_hook_of_its_kind(bench: Bench) -> None:
    """It implements one of the hooks that make a plugin of its kind."""
    wanted = KINDS[bench.kind]
    demand(
        not wanted or bool(set(wanted) & set(implemented(bench.cls))),
        f"it implements none of {', '.join(wanted)}; mark the method with `@mlm.hookimpl`",
    )
