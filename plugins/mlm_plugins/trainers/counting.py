"""What `max_length` did to the sequences that are made of rows."""

from __future__ import annotations

from attrs import define


@define
class Counts:
    """Counts sequences on their way to a trainer; the model's metadata keep the numbers.

    Attributes:
        sequences: Learned, whole or cut.
        sequences_cut: Learned up to `max_length`, and not to their ends.
        sequences_left_out: Without an answer that begins within `max_length`, so nothing of them is learned.
    """

    sequences: int = 0
    sequences_cut: int = 0
    sequences_left_out: int = 0

    def learned(self, *, is_cut: bool) -> None:
        """Count a sequence that is learned."""
        self.sequences += 1
        self.sequences_cut += is_cut

    def left_out(self, count: int = 1) -> None:
        """Count sequences that are not learned."""
        self.sequences_left_out += count
