"""mlm who-served"""

from __future__ import annotations

import click

from mlm.cli.opening import json_option, open_workspace, print_json, table, warn, when


@click.command("who-served")
@click.option(
    "--at", required=True, metavar="TIME", help="ISO 8601, such as 2026-05-01T12:00 (local zone) or ...+00:00."
)
@json_option
def who_served(at: str, as_json: bool) -> None:
    """Say which versions each deployment served at a moment, and how many responses they gave in that revision."""
    from mlm.serving_history import is_to_come, moment
    from mlm.serving_history import who_served as served_at

    registry, time = open_workspace().registry, moment(at)
    found = served_at(registry, time)
    if is_to_come(registry, time):
        warn(f"{at} is to come: this is what should be served now")
    elif not all(served.certain for served in found):
        warn("the clock went back between revisions, so any of these may have been in force then")
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
