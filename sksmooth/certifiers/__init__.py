"""Theorems: from votes or outputs to a certificate. They know no estimator."""
