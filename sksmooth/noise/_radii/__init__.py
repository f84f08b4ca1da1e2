"""From a likelihood ratio to the radius that a class probability proves."""
