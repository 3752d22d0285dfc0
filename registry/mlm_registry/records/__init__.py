"""What the registry remembers, as frozen records with the tables they lie in; a command imports those it needs.

Names follow ML Metadata where it has one: a node is an artifact, an execution is a run of one step.
Times are seconds since the epoch (UTC), durations are seconds, money is US dollars.
"""
