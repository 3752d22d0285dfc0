"""Text that was read in the wrong encoding."""

from __future__ import annotations

from attrs import define

import mlm


@define(kw_only=True)
class Mojibake:
    """Repairs text that was decoded wrongly, such as `cafÃ©`, where ftfy is sure (Speer 2019)."""

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        import pyarrow.compute as pc
        from ftfy import fix_encoding
        from ftfy.badness import is_bad

        for name in batch.text_columns:
            values = batch.pieces(name).to_pylist()
            # A text of ASCII alone cannot be broken so.
            for place in pc.indices_nonzero(_beyond_ascii(batch, name)).to_pylist():
                if is_bad(values[place]):
                    values[place] = fix_encoding(values[place])
            batch = batch.replace_text(name, values, "mojibake")
        return batch


def _beyond_ascii(batch: mlm.Batch, name: str) -> object:
    import pyarrow.compute as pc

    return pc.invert(pc.fill_null(pc.string_is_ascii(batch.pieces(name)), True))
