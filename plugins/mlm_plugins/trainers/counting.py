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

    @property
    def note(self) -> str:
        """What people should know: that more than a tenth is left out. Empty where it is not."""
        total = self.sequences + self.sequences_left_out
        if 10 * self.sequences_left_out <= total:
            return ""
        return f"{self.sequences_left_out:,} of {total:,} sequences are left out: no answer begins within max_length"

    def learned(self, *, is_cut: bool) -> None:
        """Count a sequence that is learned."""
        self.sequences += 1
        self.sequences_cut += is_cut

    def left_out(self, count: int = 1) -> None:
        """Count sequences that are not learned."""
        self.sequences_left_out += count
