"""Center smoothing: how far an output in a metric space can move."""
