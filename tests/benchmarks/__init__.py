"""Speed, measured beside a peer or a limit: `python -m tests.benchmarks` from the root of the repository."""
