"""Judge texts by datatrove's Gopher and FineWeb filters; prints MB a CPU second.

Takes a file with one JSON string a line. Every filter sees every text, as each of our rules does.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.filters import FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter


def main() -> None:
    """Read the texts, warm the tokenizer up, and measure."""
    texts = [json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    filters = (GopherQualityFilter(), GopherRepetitionFilter(), FineWebQualityFilter())
    documents = [Document(text=text, id=str(number)) for number, text in enumerate(texts)]
    for one in filters:
        one.filter(Document(text="The first text, to load the tokenizer of words.", id="first"))
    started = time.process_time()
    for document in documents:
        for one in filters:
            one.filter(document)
    print(sum(len(text.encode()) for text in texts) / 1e6 / (time.process_time() - started))


if __name__ == "__main__":
    main()
