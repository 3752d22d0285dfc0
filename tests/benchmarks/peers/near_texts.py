"""Find near copies among texts as the users of rensa and of datasketch do; prints texts a CPU second."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

SHINGLE, PLACES, BANDS, THRESHOLD = 5, 128, 32, 0.5
Pairs = list[tuple[int, int]]


def main() -> None:
    """Take the system, a file of one text a line, how many of them, and a file for the pairs."""
    system, file, count, out = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    texts = file.read_text(encoding="utf-8").split("\n")[:count]
    find: Callable[[list[str]], Pairs] = {"rensa": rensa, "datasketch": datasketch}[system]
    find(texts[:10])
    started = time.process_time()
    pairs = find(texts)
    seconds = time.process_time() - started
    out.write_text(json.dumps(pairs))
    print(len(texts) / seconds)


def shingled(texts: list[str]) -> Iterator[list[str]]:
    for text in texts:
        words = text.lower().split()
        yield [" ".join(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1))]


def rensa(texts: list[str]) -> Pairs:
    from rensa import RMinHash, RMinHashLSH

    index, made, pairs = RMinHashLSH(threshold=THRESHOLD, num_perm=PLACES, num_bands=BANDS), [], []
    for number, shingles in enumerate(shingled(texts)):
        sketch = RMinHash(num_perm=PLACES, seed=1)
        sketch.update(shingles)
        pairs += [(other, number) for other in index.query(sketch) if made[other].jaccard(sketch) >= THRESHOLD]
        index.insert(number, sketch)
        made.append(sketch)
    return pairs


def datasketch(texts: list[str]) -> Pairs:
    from datasketch import MinHash, MinHashLSH

    index, made, pairs = MinHashLSH(num_perm=PLACES, params=(BANDS, PLACES // BANDS)), [], []
    for number, shingles in enumerate(shingled(texts)):
        sketch = MinHash(num_perm=PLACES)
        sketch.update_batch([shingle.encode() for shingle in shingles])
        pairs += [(other, number) for other in index.query(sketch) if made[other].jaccard(sketch) >= THRESHOLD]
        index.insert(number, sketch)
        made.append(sketch)
    return pairs


if __name__ == "__main__":
    main()
