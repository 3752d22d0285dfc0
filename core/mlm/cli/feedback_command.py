"""mlm feedback"""

from __future__ import annotations

import click

from mlm.cli.opening import actor, by_option, json_option, open_workspace, print_json


@click.command()
@click.argument("response", required=False)
@click.option("--up", "rating", flag_value=1, type=int, help="The response was good.")
@click.option("--down", "rating", flag_value=-1, type=int, help="The response was bad.")
@click.option("--correction", default=None, help="The right answer.")
@by_option
@json_option
def feedback(response: str | None, rating: int | None, correction: str | None, by: str | None, as_json: bool) -> None:
    """Rate RESPONSE (its id, as the gateway gave it); without one, list the newest feedback."""
    from mlm_registry import Feedback

    registry = open_workspace().registry
    if response is None:
        rows = [
            {"response": e.id, "rating": f.rating, "prompt": e.prompt, "answer": e.response, "correction": f.correction}
            for e, f in registry.exchanges.feedbacks()[-50:]
        ]
        if as_json:
            print_json(rows)
        for row in [] if as_json else rows:
            click.echo(
                f"{row['response']}  {row['rating']:+d}  {row['prompt']!r} -> {row['answer']!r}  {row['correction'] or ''}"
            )
        return
    if rating is None:
        raise click.UsageError("say --up or --down")
    exchange = registry.exchanges.get(response)
    given = registry.exchanges.feedback(Feedback(exchange.id, rating, correction, actor(by)))
    if as_json:
        print_json(given)
    else:
        click.echo(f"{exchange.id} is rated {rating:+d}")
