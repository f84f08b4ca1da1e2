"""Feed-forward networks with smooth activations; kernels of inner products are one of them.

With one hidden layer the Hessian of a margin is ``W^T diag(w) W``, where the entries of w are
known up to intervals: that sandwich bounds its norm, with signs. With more layers the Hessian is a
sum over layers of such terms, bounded by products of norms. Intervals are those of all inputs, or,
near a row, those of the inputs within a ball.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from sksmooth.smooth_scores._activations import LOGISTIC, TANH, Activation
from sksmooth.smooth_scores._base import LocalLipschitzBound, SmoothScore
from sksmooth.smooth_scores._linear import LinearScore
from sksmooth.smooth_scores._matrix_norms import ScaledNorms
from sksmooth.smooth_scores._norms import EPS, Floats, dual_norm, hessian_norm
from sksmooth.smooth_scores._registry import smooth_score

# Up to here the Hessian of one layer is written out for the norms that need its entries.
_MOST_FEATURES_FOR_HESSIANS = 1024


@dataclass(frozen=True)
class NetworkScore(SmoothScore):
    """Scores ``out @ a_L + intercept`` with ``a_l = activation_l(W_l a_{l-1} + b_l)``, a_0 = x.

    Attributes
    ----------
    layers : sequence of (W, b)
        Weights of shape (n_units, n_inputs) and biases of the hidden layers.
    activations : sequence of Activation
        One per hidden layer.
    out : ndarray of shape (n_scores, n_units)
        Weights of the last layer.
    intercept : ndarray of shape (n_scores,)
        Its biases.
    """

    layers: Sequence[tuple[Floats, Floats]]
    activations: Sequence[Activation]
    out: Floats
    intercept: Floats

    def inputs_of_units(self, X: Floats) -> list[Floats]:
        """Return the inputs of the activations: per hidden layer, of shape (m, n_units)."""
        inputs, values = [], X
        for (weights, bias), activation in zip(self.layers, self.activations, strict=True):
            inputs.append(values @ weights.T + bias)
            values = activation.value(inputs[-1])
        return inputs

    def value(self, X: Floats) -> Floats:
        """Scores."""
        last = self.activations[-1].value(self.inputs_of_units(X)[-1])
        return last @ self.out.T + self.intercept

    def gradient(self, X: Floats) -> Floats:
        """Gradients, by back-propagation."""
        inputs = self.inputs_of_units(X)
        back = np.broadcast_to(self.out, (len(X), *self.out.shape))
        for (weights, _), activation, z in reversed(
            list(zip(self.layers, self.activations, inputs, strict=True))
        ):
            back = (back * activation.first(z)[:, None, :]) @ weights
        return np.asarray(back)

    def _errors(self, X: Floats) -> tuple[list[Floats], Floats]:
        """Bounds of the rounding errors of the inputs of units, and of the scores."""
        errors, error, values = [], np.zeros_like(X), X
        for (weights, bias), activation in zip(self.layers, self.activations, strict=True):
            z = values @ weights.T + bias
            errors.append(error @ np.abs(weights).T + _error_of_sum(weights, bias, values))
            first = activation.largest_first(z - errors[-1], z + errors[-1])
            values = activation.value(z)
            error = first * errors[-1] + 8 * EPS * (np.abs(values) + first * np.abs(z))
        total = error @ np.abs(self.out).T + _error_of_sum(self.out, self.intercept, values)
        return errors, total

    def rounding(self, X: Floats) -> Floats:
        """Error of each layer, passed on by the largest first derivative within it."""
        return self._errors(X)[1]

    def gradient_rounding(self, X: Floats) -> Floats:
        """Error of each layer in back-propagation, by the second derivative within its input's."""
        back = np.broadcast_to(self.out, (len(X), *self.out.shape))
        error = np.zeros_like(back)
        layers = zip(
            self.layers, self.activations, self.inputs_of_units(X), self._errors(X)[0], strict=True
        )
        for (weights, _), activation, z, of_z in reversed(list(layers)):
            first = activation.first(z)[:, None, :]
            second = np.maximum(*map(np.abs, activation.range_of_second(z - of_z, z + of_z)))
            of_first = (second * of_z)[:, None, :] + 16 * EPS * np.abs(first)
            error = error * (np.abs(first) + of_first) + np.abs(back) * of_first
            error += EPS * (weights.shape[0] + 4) * np.abs(back * first)
            error = error @ np.abs(weights)
            back = (back * first) @ weights
        return np.asarray(error.sum(axis=2))

    def lipschitz(self, weights: Floats, norm: float) -> float:
        """By the ranges of the derivatives over all of space."""
        everywhere = [np.full((1, len(bias)), np.inf) for _, bias in self.layers]
        bounds = self.bounds([-z for z in everywhere], everywhere, weights, norm)
        return float(bounds[0])

    def local_bound(self, X: Floats) -> LocalLipschitzBound:
        """By the ranges of the derivatives within balls."""
        return _NetworkBound(self, self.inputs_of_units(X))

    def after(self, matrix: Floats, offset: Floats) -> SmoothScore:
        """Network again: the map goes into the first layer."""
        weights, bias = self.layers[0]
        first = (
            weights * matrix if matrix.ndim == 1 else weights @ matrix,
            bias + weights @ offset,
        )
        return NetworkScore([first, *self.layers[1:]], self.activations, self.out, self.intercept)

    def bounds(
        self, low: Sequence[Floats], high: Sequence[Floats], weights: Floats, norm: float
    ) -> Floats:
        """Bound of the Hessian of a margin, given ranges of the inputs of all units.

        Parameters
        ----------
        low, high : sequence of ndarray of shape (m, n_units)
            One pair per hidden layer.
        weights : ndarray of shape (n_scores,)
            The margin.
        norm : {1, 2, inf}
            Of inputs.

        Returns
        -------
        bound : ndarray of shape (m,)
            Infinite where a derivative is unbounded.
        """
        with np.errstate(invalid="ignore", over="ignore"):
            if len(self.layers) == 1:
                return self._shallow(low[0], high[0], weights @ self.out, norm)
            return self._deep(low, high, weights @ self.out, norm)

    def _shallow(self, low: Floats, high: Floats, out: Floats, norm: float) -> Floats:
        smallest, largest = self.activations[0].range_of_second(low, high)
        ends = np.where(out == 0, 0.0, out * smallest), np.where(out == 0, 0.0, out * largest)
        lower, upper = np.minimum(*ends), np.maximum(*ends)
        bounds = np.full(len(low), np.inf)
        finite = np.isfinite(lower).all(axis=1) & np.isfinite(upper).all(axis=1)
        bounds[finite] = self._first_layer.bounds(lower[finite], upper[finite], norm)
        return bounds

    @cached_property
    def _first_layer(self) -> _Sandwich:
        return _Sandwich(self._norms[0])

    @cached_property
    def _norms(self) -> list[ScaledNorms]:
        return [ScaledNorms(weights) for weights, _ in self.layers]

    def _deep(
        self, low: Sequence[Floats], high: Sequence[Floats], out: Floats, norm: float
    ) -> Floats:
        first, second = [], []
        for activation, lo, hi in zip(self.activations, low, high, strict=True):
            first.append(activation.largest_first(lo, hi))
            second.append(np.maximum(*map(np.abs, activation.range_of_second(lo, hi))))
        finite = np.all([np.isfinite(s).all(axis=1) for s in (*first, *second)], axis=0)
        bounds = np.full(len(low[0]), np.inf)
        bounds[finite] = self._deep_bounds(
            [f[finite] for f in first], [s[finite] for s in second], out, norm
        )
        return bounds

    def _deep_bounds(
        self, first: list[Floats], second: list[Floats], out: Floats, norm: float
    ) -> Floats:
        """Sum of ``J^T diag(back * second) J`` over layers; J takes inputs to those of units."""
        m = len(first[0])
        back = self._largest_back(first, np.broadcast_to(np.abs(out), (m, len(out))))
        total, jacobian = np.zeros(m), np.ones(m)
        for layer, norms in enumerate(self._norms):
            incoming, of_inputs = (None, norm) if layer == 0 else (first[layer - 1], 2)
            scaled = norms.bound(np.sqrt(back[layer] * second[layer]), incoming, of_inputs)
            total += (scaled * jacobian) ** 2
            if layer + 1 < len(self._norms):
                jacobian = jacobian * norms.plain(incoming, of_inputs, m)
        return total

    def _largest_back(self, first: list[Floats], out: Floats) -> list[Floats]:
        """Elementwise bounds of the derivative of the margin by the output of every unit."""
        back = [out]
        for (weights, _), each in zip(self.layers[:0:-1], first[:0:-1], strict=True):
            by_terms = (each * back[0]) @ np.abs(weights)
            by_norms = np.sqrt(each**2 @ weights**2)
            by_norms *= np.linalg.norm(back[0], axis=1, keepdims=True)
            back.insert(0, np.minimum(by_terms, by_norms))
        return back


def _error_of_sum(weights: Floats, bias: Floats, values: Floats) -> Floats:
    return EPS * (weights.shape[1] + 4) * (np.abs(values) @ np.abs(weights).T + np.abs(bias))


class _Sandwich:
    """Bounds of the norm of ``W^T diag(w) W`` for w between two vectors."""

    def __init__(self, norms: ScaledNorms):
        self.norms, self.weights = norms, norms.weights
        self.root: Any = None
        if norms.is_small and len(self.weights) < self.weights.shape[1]:
            # the same eigenvalues in as many dimensions as W has rows
            self.root = np.linalg.qr(self.weights.T, mode="r")

    def bounds(self, lower: Floats, upper: Floats, norm: float) -> Floats:
        """Bounds for each row of lower and upper ends."""
        largest = np.maximum(np.abs(lower), np.abs(upper))
        if not self.norms.is_small:
            return self.norms.bound(np.sqrt(largest), None, norm) ** 2
        bounds = np.array([self._bound(*ends, norm) for ends in zip(lower, upper, strict=True)])
        return bounds + self._rounding(largest, norm)

    def _rounding(self, largest: Floats, norm: float) -> Floats:
        """Where units cancel, their sum is known no better than they are, here and far away."""
        squares = self.weights**2
        in_this_norm = squares.shape[1] if norm == np.inf else 1
        return 2 * EPS * (sum(squares.shape) + 16) * in_this_norm * (largest @ squares.sum(axis=1))

    def _bound(self, lower: Floats, upper: Floats, norm: float) -> float:
        n_features = self.weights.shape[1]
        few = n_features <= _MOST_FEATURES_FOR_HESSIANS
        if np.array_equal(lower, upper) and norm != 2 and few:
            return hessian_norm(self._product(lower), norm)
        spectral = max(self._highest(upper), self._highest(-lower), 0.0)
        if norm == 2:
            return spectral
        largest = np.maximum(np.abs(lower), np.abs(upper))
        if norm == 1:
            return float(min(spectral, (largest @ self.weights**2).max()))
        if few:
            by_entries = np.abs(self._product(largest)).sum()
        else:
            by_entries = largest @ np.abs(self.weights).sum(axis=1) ** 2
        return float(min(n_features * spectral, by_entries))

    def _product(self, w: Floats) -> Floats:
        return (self.weights.T * w) @ self.weights

    def _highest(self, w: Floats) -> float:
        if self.root is None:
            return float(np.linalg.eigvalsh(self._product(w))[-1])
        return float(np.linalg.eigvalsh((self.root * w) @ self.root.T)[-1])


@dataclass(frozen=True)
class _NetworkBound(LocalLipschitzBound):
    """Ranges of the inputs of units around some rows."""

    score: NetworkScore
    inputs: list[Floats]

    def lipschitz(self, weights: Floats, norm: float, radius: Floats) -> Floats:
        """Ranges of the inputs of units: exact in the first layer, intervals from there on."""
        score = self.score
        spread = radius[:, None] * dual_norm(score.layers[0][0], norm)
        low, high = [self.inputs[0] - spread], [self.inputs[0] + spread]
        for (matrix, bias), activation in zip(score.layers[1:], score.activations, strict=False):
            lo, hi = activation.value(low[-1]), activation.value(high[-1])
            lo, hi = np.minimum(lo, hi), np.maximum(lo, hi)
            middle, half = (lo + hi) / 2 @ matrix.T + bias, (hi - lo) / 2 @ np.abs(matrix).T
            low.append(middle - half)
            high.append(middle + half)
        return score.bounds(low, high, weights, norm)


@smooth_score.register
def _(model: MLPClassifier) -> SmoothScore:
    if model.out_activation_ not in ("logistic", "softmax") or model._label_binarizer.y_type_ in (
        "multilabel-indicator",
    ):
        raise ValueError("MLPClassifier has to be fitted to one class per row.")
    weights = [np.asarray(w, dtype=float).T for w in model.coefs_]
    biases = [np.asarray(b, dtype=float) for b in model.intercepts_]
    if model.activation == "relu":
        raise ValueError(
            "MLPClassifier(activation='relu') has kinks: its gradient jumps, so that no "
            "certificate of this kind exists. Use activation='tanh' or 'logistic', or "
            "certify it by SmoothedClassifier, which needs no gradient."
        )
    if model.activation == "identity":
        return _without_activations(weights, biases)
    activation = {"tanh": TANH, "logistic": LOGISTIC}[model.activation]
    hidden: Any = list(zip(weights[:-1], biases[:-1], strict=True))
    return NetworkScore(hidden, [activation] * len(hidden), weights[-1], biases[-1])


def _without_activations(weights: list[Floats], biases: list[Floats]) -> SmoothScore:
    score = LinearScore(weights[-1], biases[-1])
    for matrix, offset in zip(weights[-2::-1], biases[-2::-1], strict=True):
        score = score.after(matrix, offset)
    return score
