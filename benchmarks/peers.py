"""What people use today: the loop of Cohen et al. restated, and the Adversarial Robustness Toolbox.

Changes that the toolbox (1.20) needs to run at all with scikit-learn 1.9: its NumPy class reads
`channels_first` from the wrapped classifier, which its wrapper of scikit-learn models has not, so
the attribute is set; its wrapper of SVC calls a `predict_proba` that is no longer there, so SVC is
not compared with it. Nets use its PyTorch class.
"""

import warnings

import numpy as np
import torch
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint

COHEN_BATCH, ART_BATCH = 1000, 512


class CohenLoop:
    """One row at a time, fresh noise, batches of 1,000, votes counted one by one.

    Restated from the description of the published code: noise and, for nets, predictions by
    torch; scikit-learn models get the same noise as arrays.
    """

    def __init__(self, model, n_classes, sigma, alpha, batch=COHEN_BATCH):
        self.model = getattr(model, "module_", model)  # of skorch
        self.n_classes, self.sigma, self.alpha, self.batch = n_classes, sigma, alpha, batch

    def certify(self, X, n0, n):
        return [self._certify_row(torch.as_tensor(row), n0, n) for row in X]

    def _certify_row(self, row, n0, n):
        best = self._count(row, n0).argmax()
        votes = int(self._count(row, n)[best])
        p_lower = proportion_confint(votes, n, alpha=2 * self.alpha, method="beta")[0]
        return (-1, 0.0) if p_lower < 0.5 else (best, self.sigma * norm.ppf(p_lower))

    def _count(self, row, n):
        counts = np.zeros(self.n_classes, dtype=int)
        with torch.no_grad():
            for first in range(0, n, self.batch):
                batch = row.repeat((min(self.batch, n - first), 1))
                noisy = batch + torch.randn_like(batch) * self.sigma
                for label in self._labels(noisy):
                    counts[label] += 1
        return counts

    def _labels(self, noisy):
        if isinstance(self.model, torch.nn.Module):
            return self.model(noisy).argmax(1).numpy()
        return self.model.predict(noisy.numpy())


def art_smoother(model, n_features, n_classes, sigma, alpha, n_selection):
    """Return the toolbox around a fitted model, or None where it cannot run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from art.estimators.certification.randomized_smoothing import (
            NumpyRandomizedSmoothing,
            PyTorchRandomizedSmoothing,
        )
        from art.estimators.classification import SklearnClassifier

        options = {"sample_size": n_selection, "scale": sigma, "alpha": alpha}
        if hasattr(model, "module_"):
            return PyTorchRandomizedSmoothing(
                model=model.module_,
                loss=torch.nn.CrossEntropyLoss(),
                input_shape=(n_features,),
                nb_classes=n_classes,
                device_type="cpu",
                **options,
            )
        if not hasattr(model, "predict_proba"):
            return None
        wrapped = SklearnClassifier(model)
        wrapped.channels_first = True
        return NumpyRandomizedSmoothing(wrapped, **options)
