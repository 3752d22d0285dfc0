"""mlm feedback"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mlm.cli.opening import actor, by_option, json_option, open_workspace, print_json, when
from mlm.cli.showing import one_line

if TYPE_CHECKING:
    from mlm_registry import Exchange, Feedback


@click.command()
@click.argument("response", required=False)
@click.option("--up", is_flag=True, help="The response was good.")
@click.option("--down", is_flag=True, help="The response was bad.")
@click.option("--correction", default=None, help="The right answer.")
@by_option
@json_option
def feedback(response: str | None, up: bool, down: bool, correction: str | None, by: str | None, as_json: bool) -> None:
    """Rate RESPONSE (its id, as the gateway gave it); without one, list the newest feedback, the newest first."""
    from mlm_registry import Feedback

    registry = open_workspace().registry
    if response is None:
        rows = [_row(exchange, given) for exchange, given in registry.exchanges.feedbacks()[:-51:-1]]
        if as_json:
            print_json(rows)
        for row in [] if as_json else rows:
            corrected = f" ({row['correction']})" if row["correction"] else ""
            told = f"{row['prompt']} -> {row['answer']}{corrected}"
            click.echo(f"{when(row['at'])}  {row['response']}  {row['rating']:+d}  {one_line(told)}")
        return
    if up == down:
        raise click.UsageError("say --up or --down, one of them")
    rating = 1 if up else -1
    exchange = registry.exchanges.get(response)
    given = registry.exchanges.feedback(Feedback(exchange.id, rating, correction, actor(by)))
    if as_json:
        print_json(given)
    else:
        click.echo(f"{exchange.id} is rated {rating:+d}")


def _row(exchange: Exchange, given: Feedback) -> dict[str, Any]:
    return {
        "response": exchange.id,
        "rating": given.rating,
        "prompt": exchange.prompt,
        "answer": exchange.response,
        "correction": given.correction,
        "at": given.at,
    }
