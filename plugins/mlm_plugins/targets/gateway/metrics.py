"""Counters and histograms, written in the text format of Prometheus, version 0.0.4."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
Labels = tuple[str, ...]


class Counter:
    """A number that only grows, one for each combination of labels."""

    kind = "counter"

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:
        self.name, self.help, self.labels = name, help, tuple(labels)
        self._values: dict[Labels, float] = {}

    def add(self, amount: float, *labels: str) -> None:
        """Add to the number with these labels."""
        self._values[labels] = self._values.get(labels, 0) + amount

    def samples(self) -> Iterable[str]:
        """Write one line a combination of labels."""
        for labels, value in sorted(self._values.items()):
            yield f"{self.name}{_braces(zip(self.labels, labels, strict=True))} {value:.15g}"


class Gauge(Counter):
    """A number that comes and goes; set whole, at the time of asking."""

    kind = "gauge"

    def set(self, values: Mapping[Labels, float]) -> None:
        """Replace all values."""
        self._values = dict(values)


class Histogram:
    """How often a duration fell under each bound."""

    kind = "histogram"

    def __init__(self, name: str, help: str, labels: Sequence[str], bounds: Sequence[float] = SECONDS) -> None:
        self.name, self.help, self.labels = name, help, tuple(labels)
        self._bounds = tuple(bounds)
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}

    def observe(self, value: float, *labels: str) -> None:
        """Count one value."""
        counts = self._counts.setdefault(labels, [0] * (len(self._bounds) + 1))
        counts[bisect_left(self._bounds, value)] += 1
        self._sums[labels] = self._sums.get(labels, 0.0) + value

    def samples(self) -> Iterable[str]:
        """Write cumulative buckets, sum and count for each combination of labels."""
        for labels, counts in sorted(self._counts.items()):
            pairs = list(zip(self.labels, labels, strict=True))
            total = 0
            for bound, count in zip([f"{b:g}" for b in self._bounds] + ["+Inf"], counts, strict=True):
                total += count
                yield f"{self.name}_bucket{_braces([*pairs, ('le', bound)])} {total}"
            yield f"{self.name}_sum{_braces(pairs)} {self._sums[labels]:.15g}"
            yield f"{self.name}_count{_braces(pairs)} {total}"


class Metrics:
    """What the gateway counts. Touched by the event loop's thread alone."""

    def __init__(self) -> None:
        model = ("model",)
        self.requests = Counter("mlm_requests_total", "Answered requests", ("route", "model", "status"))
        self.tokens = Counter("mlm_tokens_total", "Tokens of prompts and completions", ("model", "kind"))
        self.latency = Histogram("mlm_request_seconds", "Time from request to last byte", model)
        self.first_token = Histogram("mlm_first_token_seconds", "Time from request to first token", model)
        self.guards = Counter(
            "mlm_guard_hits_total", "Decisions of guards other than allow", ("guard", "direction", "action", "code")
        )
        self.refusals = Counter("mlm_refusals_total", "Replies that a guard blocked", ("model", "direction"))
        self.cost = Counter("mlm_cost_usd_total", "Estimated cost of computing, US dollars", model)
        self.lost = Gauge("mlm_exchanges_lost", "Exchanges that could not be recorded")
        self.unwritten = Gauge("mlm_exchanges_waiting", "Exchanges not written to the registry yet")
        self.running = Gauge("mlm_requests_running", "Requests queued or running now", model)
        self.shares = Gauge("mlm_arm_share", "Share of traffic, 0 to 1", model)
        self.revision = Gauge("mlm_deployment_revision", "Revision of the deployment that is served", ("deployment",))

    def render(self) -> str:
        """Write everything."""
        lines: list[str] = []
        for metric in vars(self).values():
            lines += [f"# HELP {metric.name} {metric.help}.", f"# TYPE {metric.name} {metric.kind}", *metric.samples()]
        return "\n".join(lines) + "\n"


def _braces(pairs: Iterable[tuple[str, str]]) -> str:
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs)
    return f"{{{inside}}}" if inside else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
