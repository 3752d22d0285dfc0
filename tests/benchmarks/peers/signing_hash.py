"""Hash a file as model-signing does by default (SHA-256, a file at a time); prints milliseconds of CPU."""

from __future__ import annotations

import sys
import time

from model_signing.hashing import Config


def main() -> None:
    """Take a folder that holds the file."""
    config = Config()
    started = time.process_time()
    config.hash(sys.argv[1])
    print(1000 * (time.process_time() - started))


if __name__ == "__main__":
    main()
