"""mlm admit"""

from __future__ import annotations

import click

from mlm.cli.opening import json_option, open_workspace, print_json


@click.command()
@click.argument("ref")
@json_option
def admit(ref: str, as_json: bool) -> None:
    """Say whether a server may load model version REF: what every server asks before weights load.

    A refusal has one code and exit code 1: registry_tampered, erasure_pending, model_recalled, model_retired,
    model_not_approved, digest_mismatch, bytes_missing, signature_missing, signature_invalid, gates_not_passed, or the
    code of a check that refuses, such as license_refused.
    """
    from mlm.gates import admission
    from mlm.inspecting import resolve

    workspace = open_workspace()
    version = workspace.registry.models.version(resolve(workspace.registry, ref).id)
    verdict = admission(workspace, version.node.id)
    if as_json:
        print_json({"version": version.node.ref, "digest": version.node.digest, "verdict": verdict})
    else:
        click.echo(verdict.reason if verdict.passed else f"{verdict.code}: {verdict.reason}")
    if not verdict.passed:
        raise SystemExit(1)
