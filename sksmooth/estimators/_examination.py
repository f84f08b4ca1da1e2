"""A look at a smoothed classifier after fit: useless models are found before they certify."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from sksmooth.base_models._encoders import unknown_values
from sksmooth.exceptions import NoiseCollapseWarning

# Rows of the training data that are looked at, and noisy copies of each: enough for a standard
# error of a few percent. With fewer rows than this nothing is said about chance.
N_ROWS, N_DRAWS, _FEWEST_ROWS = 64, 16, 16

# Noise of so many standard deviations of a column leaves nothing of it; columns whose deviations
# differ by this factor are in unlike units.
_DROWNED, _UNLIKE = 5.0, 100.0


@dataclass(frozen=True)
class Examination:
    """How a base model did on a sample of the training rows.

    Attributes
    ----------
    model : object
        Fitted base model.
    noise : Noise
        Smoothing distribution.
    inputs : Inputs of length m
        Sample.
    truth : ndarray of bool of shape (m, n_classes)
        Its labels.
    clean : ndarray of int of shape (m,)
        Classes that the model gives to the rows themselves.
    probabilities : ndarray of shape (m, n_classes)
        Class probabilities under noise.
    """

    model: Any
    noise: Any
    inputs: Any
    truth: Any
    clean: Any
    probabilities: Any

    def warn(self, stacklevel):
        """Warn, once, of what makes certificates worthless or small."""
        found = self._finding()
        if found is None:
            return
        causes = "".join(f" {cause}" for cause in self._causes())
        warnings.warn(found + causes, NoiseCollapseWarning, stacklevel=stacklevel + 1)

    def _finding(self):
        m = len(self.truth)
        chance = self.truth.mean(axis=0).max()
        clean = self.truth[np.arange(m), self.clean].mean()
        noisy = (self.probabilities * self.truth).sum() / m
        winner = self.probabilities.argmax(axis=1)
        smoothed = self.truth[np.arange(m), winner].mean()
        if chance < 1 and len(np.unique(winner)) == 1 and m >= _FEWEST_ROWS:
            return (
                f"The smoothed classifier gives one class to all of {m} training rows: a model "
                "that ignores its input is certified at the largest radius, which proves nothing "
                "of use."
            )
        if chance < 1 and smoothed <= chance and m >= _FEWEST_ROWS:
            return (
                f"The smoothed classifier is right on {smoothed:.0%} of a sample of the training "
                f"rows, no better than always giving the most frequent class ({chance:.0%}); its "
                "certificates may be large and prove nothing of use."
            )
        if clean > chance and clean - noisy > max(0.2, (clean - chance) / 2):
            return (
                f"The base model is right on {clean:.0%} of a sample of the training rows, but "
                f"only on {noisy:.0%} of their noisy copies ({self.noise!r}), so many "
                "certificates will be wrong about the class, small or none."
            )
        return None

    def _causes(self):
        """Yield what may be the cause, each with what to do."""
        found = [*self._encoders(), *self._spreads()]
        if found:
            yield from found
        elif self._learned_without_noise():
            yield (
                "The base model does better on the rows themselves: train it on noisy copies "
                "(n_augment > 0 and an estimator that is not frozen), or use a smaller sigma."
            )
        else:
            yield (
                "Look at the base model itself: its answers on clean rows, the order of its "
                "classes, and whether y belongs to X; or use a smaller sigma."
            )

    def _learned_without_noise(self):
        m = len(self.truth)
        clean = self.truth[np.arange(m), self.clean].mean()
        return clean > self.truth.mean(axis=0).max()

    def _encoders(self):
        rng = np.random.default_rng(0)
        draws = self.noise.draw(len(self.inputs), self.inputs.shape, rng, self.inputs.dtype)
        if self.inputs.noisy is not None:
            draws[:, ~self.inputs.noisy] = 0
        noisy = self.noise.apply(self.inputs.values, draws)
        unknown = unknown_values(self.model, self.inputs.to_container(noisy))
        if unknown is not None and unknown.proportion > 0.1:
            yield (
                f"Noise made values that {unknown.encoder} inside the base model does not know "
                f"({unknown.proportion:.0%} of its entries): codes and categories cannot bear "
                "noise. Leave these columns out, or smooth a model of numeric columns only."
            )

    def _spreads(self):
        if self.noise.attack is not None:  # sigma is that of a parameter
            return
        values = self.inputs.values.reshape(len(self.inputs), -1).astype(float)
        if self.inputs.noisy is not None:
            values = values[:, self.inputs.noisy]
        spread = values.std(axis=0)
        varying = spread[spread > 0]
        if not len(varying):
            return
        sigma, low, high = self.noise.sigma, varying.min(), varying.max()
        if sigma > _DROWNED * np.median(varying):
            yield (
                f"sigma={sigma:g} is {sigma / np.median(varying):.0f} times the standard deviation "
                f"of a typical column of X: it is meant in {self._units}. Use a smaller sigma, "
                "such as a quarter of the deviation."
            )
        elif high > _UNLIKE * low and sigma > _DROWNED * low:
            yield (
                f"The columns of X are in unlike units (standard deviations from {low:.3g} to "
                f"{high:.3g}), and sigma={sigma:g} drowns the smallest. Pass "
                "feature_scale='std', or scale X before the smoother, for instance by "
                "sklearn.preprocessing.StandardScaler."
            )

    @property
    def _units(self):
        return "the units of X" if self.inputs.scale is None else "scaled units (feature_scale)"
