"""mlm who-served"""

from __future__ import annotations

import click

from mlm.cli.opening import json_option, open_workspace, print_json, table, when


@click.command("who-served")
@click.option(
    "--at", required=True, metavar="TIME", help="ISO 8601, such as 2026-05-01T12:00 (local zone) or ...+00:00."
)
@json_option
def who_served(at: str, as_json: bool) -> None:
    """Say which versions each deployment served at a moment, and how many responses they gave in that revision."""
    from mlm.serving_history import moment
    from mlm.serving_history import who_served as served_at

    found = served_at(open_workspace().registry, moment(at))
    if as_json:
        print_json(found)
        return
    rows = [
        [
            s.deployment,
            str(s.revision),
            s.version,
            f"{s.share:.0%}",
            when(s.since),
            when(s.until or 0) or "now",
            str(s.responses),
        ]
        for s in found
    ]
    table(["deployment", "revision", "version", "share", "since", "until", "responses"], rows)
