"""Compiled loops over sketches: what of them is kept on disk, their keys in bands, and the texts that share one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlm_plugins.detectors.compiled import compiled
from mlm_plugins.detectors.kernels import BASE, Bytes, Codes


@compiled
def halved(sketches: Codes, bits: Bytes) -> None:
    """Keep the lowest four bits of each place of some sketches, two places a byte: (texts, (places + 1) // 2)."""
    for text in range(sketches.shape[0]):
        for byte in range(bits.shape[1]):
            low = sketches[text, 2 * byte] & np.uint32(15)
            high = sketches[text, 2 * byte + 1] & np.uint32(15) if 2 * byte + 1 < sketches.shape[1] else np.uint32(0)
            bits[text, byte] = low | high << np.uint32(4)


@compiled
def bands_of(sketches: Codes, rows: int, keys: Codes) -> None:
    """Hash each run of `rows` places of a sketch into a key, (bands, texts)."""
    for text in range(sketches.shape[0]):
        for band in range(keys.shape[0]):
            key = np.uint64(band)
            for value in sketches[text, band * rows : (band + 1) * rows]:
                key = (key ^ np.uint64(value)) * BASE
                key ^= key >> np.uint64(32)
            keys[band, text] = np.uint32(key >> np.uint64(16))


@compiled
def linked(keys: Codes) -> NDArray[np.int32]:
    """Return for each key the place of the last equal one before it, or -1."""
    slots = 2
    while slots < 2 * keys.size:
        slots *= 2
    table, links = np.full(slots, -1, np.int32), np.full(keys.size, -1, np.int32)
    for place in range(keys.size):
        slot = np.int64((np.uint64(keys[place]) * BASE) >> np.uint64(24)) & (slots - 1)
        while table[slot] >= 0 and keys[table[slot]] != keys[place]:
            slot = (slot + 1) & (slots - 1)
        links[place] = table[slot]
        table[slot] = place
    return links
