"""The claims of the sources, each with a run that repeats or refutes it."""

from benchmarks.reproduce import (
    center_smoothing,
    lecture,
    locally_biased,
    soap_bubbles,
    splitting_noise,
)

SOURCES = (center_smoothing, soap_bubbles, splitting_noise, locally_biased, lecture)

CLAIMS = {claim.name: claim for source in SOURCES for claim in source.CLAIMS}
