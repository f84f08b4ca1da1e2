"""Seeds to noise to the base model to counts or outputs, in one parallel loop."""
