"""From a likelihood ratio to what a class probability proves."""
