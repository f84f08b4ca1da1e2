"""The loss of a denoiser that is to keep the answers of a classifier."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from sksmooth.nets._modules import evaluating


class StabilityLoss(torch.nn.Module):
    """Cross-entropy of a classifier on denoised inputs, against its labels on clean ones.

    The stability objective of denoised smoothing (Salman et al. 2020, section 3.2). The weights of
    the classifier are no parameters of it, so that no optimizer moves them.

    Parameters
    ----------
    classifier : torch.nn.Module, or FrozenEstimator of a fitted skorch net
        Gives one logit per class; it is used in evaluation mode.
    """

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        classifier = getattr(classifier, "estimator", classifier)  # of a FrozenEstimator
        module = getattr(classifier, "module_", classifier)
        if not isinstance(module, torch.nn.Module):
            raise ValueError(
                "loss='stability' needs the gradients of a classifier in torch (a module, or a "
                "FrozenEstimator of a fitted net in skorch), got "
                f"{type(classifier).__name__}. Use loss='mse'."
            )
        self._classifier = (module,)  # in a tuple it is no part of this module

    def forward(self, denoised: Any, clean: Any) -> Any:
        """Return the mean loss over rows.

        Parameters
        ----------
        denoised, clean : torch.Tensor of shape (m, ...)
            Inputs of the classifier.
        """
        (classifier,) = self._classifier
        with evaluating(classifier.to(denoised.device)):
            with torch.no_grad():
                labels = classifier(clean).argmax(dim=1)
            return functional.cross_entropy(classifier(denoised), labels)
