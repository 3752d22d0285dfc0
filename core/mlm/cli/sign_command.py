"""mlm sign"""

from __future__ import annotations

import os
from pathlib import Path

import click

from mlm.cli.opening import actor, by_option, json_option, open_workspace, print_json


@click.command()
@click.argument("ref")
@click.option("--key", type=click.Path(dir_okay=False, path_type=Path), help="Private key to sign with, PEM.")
@click.option(
    "--password-env",
    default="MLM_KEY_PASSWORD",
    show_default=True,
    help="Variable that holds the key's password, where it has one.",
)
@click.option(
    "--bundle", type=click.Path(dir_okay=False, path_type=Path), help="Add a signature that was made elsewhere."
)
@by_option
@json_option
def sign(ref: str, key: Path | None, password_env: str, bundle: Path | None, by: str | None, as_json: bool) -> None:
    """Sign model version REF, or add the signature of another tool.

    The signature is a Sigstore bundle as OpenSSF model signing 1.0 writes it with a key: `model_signing verify key`
    takes it. Where `signers` of [governance] name public keys, admission asks for a signature by one of them.
    """
    from mlm.inspecting import resolve
    from mlm.signing import add
    from mlm.signing import sign as make

    if (key is None) == (bundle is None):
        raise click.UsageError("give either --key or --bundle")
    workspace = open_workspace()
    node = resolve(workspace.registry, ref)
    if key is not None:
        done = make(workspace, node, key, password=os.environ.get(password_env, ""), by=actor(by))
    else:
        assert bundle is not None
        done = add(workspace, node, bundle, by=actor(by))
    if as_json:
        print_json(done)
        return
    click.echo(f"{done.version} is signed by key {done.key[:16]}")
    click.echo(f"bundle  {done.path}")
