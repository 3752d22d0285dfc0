"""What a plugin measured, held against the metrics that it announced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import evolve

from mlm.measures import Measure, MetricSpec


def broken_word(measures: Iterable[Measure], specs: Sequence[MetricSpec]) -> tuple[str, str] | None:
    """Return what is wrong and what mends it, where a measure was not announced or has another unit; None where not."""
    known = {spec.name: spec for spec in specs}
    for measure in measures:
        name, spec = measure.metric, known.get(measure.metric)
        if spec is None:
            names = f" (they name {', '.join(known)})" if known else ""
            mend = f'add mlm.MetricSpec("{name}", ...) to `metrics`{names}, or do not measure it'
            return f"it measured '{name}', which its `metrics` do not name", mend
        if spec.unit and measure.unit and measure.unit != spec.unit:
            mend = f'say unit="{spec.unit}" or none when measuring it, or mend its MetricSpec'
            return f"it measured '{name}' in '{measure.unit}', and its `metrics` say '{spec.unit}'", mend
    return None


def in_its_unit(measure: Measure, specs: Iterable[MetricSpec]) -> Measure:
    """Return a measure with the unit that was announced for it, where it says none itself."""
    unit = next((spec.unit for spec in specs if spec.name == measure.metric), "")
    return measure if measure.unit else evolve(measure, unit=unit)
