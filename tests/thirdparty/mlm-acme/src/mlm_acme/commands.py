"""A command."""

import click
from attrs import define

import mlm


@define(kw_only=True)
class Acme:
    """Adds `mlm acme`."""

    @mlm.hookimpl
    def mlm_command(self) -> click.Command:
        return click.Command("acme", callback=lambda: click.echo("acme 2.1.0"), help="Say which acme this is.")
