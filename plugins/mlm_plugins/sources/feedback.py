"""What people said of responses, as rows that lead back to the exchanges."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from attrs import define
from attrs.validators import in_, min_len

import mlm

FORMS = {
    "kto": ("prompt", "completion", "label"),
    "preference": ("prompt", "chosen", "rejected"),
    "prompt-completion": ("prompt", "completion"),
}
_NO_PLACE = {
    "preference": ("no-correction", "nobody wrote a better answer"),
    "prompt-completion": ("rated-down", "it was rated down, and nobody wrote a better answer"),
}


@define(kw_only=True)
class Feedback:
    """Reads a deployment's exchanges that people rated or corrected, the newest ten thousand.

    `kto` has each response with the label that its rating is, `preference` each correction as chosen and the
    response as rejected, `prompt-completion` what was corrected or rated up. `user` is who asked, for erasure; a row's
    source is its exchange.
    """

    deployment: str = mlm.setting(validator=min_len(1), help="deployment whose responses were rated")
    to: str = mlm.setting(
        "kto", validator=in_(tuple(FORMS)), help="form of the rows: kto, preference or prompt-completion"
    )

    @mlm.hookimpl
    def mlm_version(self, context: mlm.Context) -> str:
        seen = sha256()
        for exchange, given in _rated(context.window(self.deployment)):
            seen.update(f"{exchange.id}\0{given.rating}\0{given.correction}\0".encode())
        return seen.hexdigest()

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        import pyarrow as pa

        rows, removed = list[dict[str, Any]](), list[mlm.Removal]()
        for exchange, given in _rated(context.window(self.deployment)):
            source, user = f"exchange:{exchange.id}", str(exchange.request.get("user") or "")
            made = self._row(exchange, given)
            if made is None:
                reason, detail = _NO_PLACE[self.to]
                removed.append(mlm.Removal(source, source, reason, detail, exchange.prompt[:2000], subject=user))
            else:
                rows.append({"row_id": source, "source": source, **made, "user": user or None})
        names = ("row_id", "source", *FORMS[self.to], "user")
        schema = pa.schema([(name, pa.bool_() if name == "label" else pa.string()) for name in names])
        with context.writer() as writer:
            writer.write(mlm.Batch(pa.Table.from_pylist(rows, schema=schema), tuple(removed)))
        return writer.dataset

    def _row(self, exchange: Any, given: Any) -> dict[str, Any] | None:
        better = (given.correction or "").strip()
        if self.to == "kto":
            return {"prompt": exchange.prompt, "completion": exchange.response, "label": given.rating > 0}
        if self.to == "preference":
            return {"prompt": exchange.prompt, "chosen": better, "rejected": exchange.response} if better else None
        answer = better or (exchange.response if given.rating > 0 else "")
        return {"prompt": exchange.prompt, "completion": answer} if answer else None


def _rated(window: mlm.Window) -> Iterator[tuple[Any, Any]]:
    """Read (exchange, feedback), in the order of the exchanges."""
    for exchange in window.exchanges:
        given = window.feedback.get(exchange.id)
        if given is not None:
            yield exchange, given
