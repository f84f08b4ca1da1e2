"""Any X in, perturbed X out again."""
