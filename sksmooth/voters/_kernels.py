"""Support vector machines: what kernels see of ``x + z`` is made of inner products.

``||x + z - s||^2 = ||x - s||^2 + ||z||^2 + 2 x . z - 2 z . s`` for a support vector s: the products
``z . s`` are the same for all inputs, and what is left is one matrix product per input.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.svm import SVC, NuSVC

from sksmooth.base_models._affine import InputMap
from sksmooth.inputs._containers import Inputs
from sksmooth.voters._base import FastVoter, voter_of
from sksmooth.voters._linear import LinearPairs, LinearScores
from sksmooth.voters._rounding import (
    FUNCTION_ROUNDING,
    lengths,
    of_sum,
    reach_of,
    unit_roundoff,
)
from sksmooth.voters._votes import count_largest, count_pairs, count_positive

# Values of the kernel held at a time for the draws of a call, and scores for some inputs.
_VALUES_PER_CALL, _FEWEST_DRAWS = 2**20, 64
_SCORES_PER_PRODUCT = 2**17

# Exponentials of draws beyond exp(this) either way could lose a kernel value to under- or overflow.
_LARGEST_EXPONENT = 50.0

# Kernels below this may be lost to underflow.
_SMALLEST_KERNEL = 1e-300

# So could factors of an input beyond exp(this): their product may be of moderate size.
_LARGEST_FACTOR = 600.0


@dataclass(frozen=True)
class KernelScores(FastVoter):
    """Scores ``duals @ k(vectors, x) + intercept`` with a kernel k.

    Attributes
    ----------
    vectors : ndarray of shape (n_vectors, n_features)
        Support vectors.
    duals : ndarray of shape (n_scores, n_vectors)
        Their weights in each score.
    intercept : ndarray of shape (n_scores,)
        Added to the scores.
    gamma : float
        Parameter of the kernel.
    pairs : bool
        Whether there is a score for each pair of classes, positive for the first of the two;
        else the largest score wins, and a single one decides by its sign.
    input_map : InputMap
        What becomes of x before the kernel.
    """

    vectors: NDArray[np.float64]
    duals: NDArray[np.float64]
    intercept: NDArray[np.float64]
    gamma: float
    pairs: bool
    input_map: InputMap

    @property
    def n_classes(self) -> int:  # type: ignore[override]
        """Number of classes."""
        n_scores = len(self.duals)
        return int(0.5 + np.sqrt(2 * n_scores + 0.25)) if self.pairs else max(2, n_scores)

    def draws_per_call(self, inputs: Inputs) -> int:
        """Draws whose products with the support vectors are held at a time."""
        return max(_FEWEST_DRAWS, _VALUES_PER_CALL // max(1, len(self.vectors)))

    def suits(self, inputs: Inputs) -> bool:
        """Whether inputs have the right length."""
        return self.input_map.suits(inputs)

    def after(self, matrix: Any, offset: Any) -> KernelScores:
        """Scores as a function of x, where they are given as one of ``matrix @ x + offset``."""
        return replace(self, input_map=self.input_map.after(matrix, offset))

    def embed_inputs(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return inputs as the kernel gets them, and the length of the sizes of their terms."""
        sizes = lengths(self.input_map.sizes(values))
        return np.column_stack([self.input_map.of_inputs(values), sizes])

    def _count(self, scores: NDArray[np.float64], doubt: Any) -> NDArray[np.int64]:
        if self.pairs:
            return count_pairs(scores, self.n_classes, doubt)
        if len(scores) == 1:
            return count_positive(scores[0], doubt)
        return count_largest(scores, doubt)

    def _rounding(self) -> float:
        """Relative error of what comes out of the maps, and of products with the vectors."""
        n_terms = max(self.vectors.shape[1], self.input_map.n_features)
        return of_sum(n_terms) * (len(self.input_map.maps) + 1)


@dataclass(frozen=True)
class _Exponentials:
    """Draws z, as far as the radial kernel of any input needs them.

    Attributes
    ----------
    values : ndarray of shape (n, n_features)
        The draws.
    squares : ndarray of shape (n,)
        ``||z||^2``.
    exponents : ndarray of shape (n_vectors, n)
        ``2 gamma z . (s - c)`` with the mean c of the support vectors s.
    factors : ndarray of shape (n_vectors, n) or None
        Their exponentials, where all are in range.
    """

    values: NDArray[np.float64]
    squares: NDArray[np.float64]
    exponents: NDArray[np.float64]
    factors: NDArray[np.float64] | None

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class RadialScores(KernelScores):
    """Scores with the kernel ``exp(-gamma ||x - s||^2)``."""

    def embed_noise(self, draws: NDArray[Any]) -> _Exponentials:
        """Return the products of draws with the support vectors."""
        draws = self.input_map.of_draws(draws)
        exponents = (self.vectors - self._center) @ (draws * (2 * self.gamma)).T
        in_range = np.abs(exponents).max(initial=0.0) < _LARGEST_EXPONENT
        squares = np.einsum("ij,ij->i", draws, draws)
        return _Exponentials(draws, squares, exponents, np.exp(exponents) if in_range else None)

    def errors(self, embedded: NDArray[Any], draws: _Exponentials) -> NDArray[np.float64]:
        """Bound the relative errors of the kernel for each input, with any draw and vector.

        The exponent is a sum of squares and products of x, z, the vectors s and their mean c, all
        of them no larger than ``gamma (|x| + |z| + 2 |s| + |c|)^2``, of which `of_sum` may be
        lost in each. The kernel is off by as much, relatively, and by the rounding of its
        factors. This takes the exponential of numpy to be off by `FUNCTION_ROUNDING` units in the
        last place.
        """
        far = np.sqrt(draws.squares.max(initial=0.0))
        own = 2 * lengths(self.vectors).max(initial=0.0) + float(np.linalg.norm(self._center))
        exponents = 8 * self.gamma * self._rounding() * (embedded[:, -1] + far + own) ** 2
        functions = 4 * FUNCTION_ROUNDING * unit_roundoff(np.float64) + of_sum(len(self.vectors))
        with np.errstate(over="ignore"):
            return np.asarray(np.expm1(exponents) + functions)

    def _count_closely(
        self, seen: NDArray[np.float64], log_far: Any, draws: _Exponentials, error: float
    ) -> NDArray[np.int64]:
        """Count the votes of one input, with a bound of what rounding may do for each draw."""
        exponents = draws.exponents + seen[:, None] + log_far
        kernel = np.exp(exponents, out=exponents)
        scores = self.duals @ kernel + self.intercept[:, None]
        sizes = np.abs(self.duals) @ (error * kernel + _SMALLEST_KERNEL)
        doubt = (sizes + of_sum(1) * np.abs(self.intercept)[:, None]).max(axis=0)
        return self._count(scores, 2 * doubt)

    def count_votes(self, inputs: Inputs, noise: Any, draws: Any) -> NDArray[np.int64]:
        """Count the votes of every input with every draw, but for those that rounding may change.

        No kernel is larger than 1, which bounds the error of all draws at once. Where some votes
        are within that bound, those of the input are counted again with one for each draw.
        """
        seen, errors = inputs.values[:, :-1], self.errors(inputs.values, draws)
        log_near = -self.gamma * _square_distances(seen, self.vectors)
        products = (seen - self._center) @ draws.values.T
        log_far = -self.gamma * (draws.squares + 2 * products)
        votes = np.zeros((len(seen), self.n_classes), np.int64)
        if draws.factors is None:
            in_range = np.zeros(len(seen), dtype=bool)
        else:
            farthest = np.maximum(np.abs(log_near).max(axis=1), np.abs(log_far).max(axis=1))
            in_range = farthest < _LARGEST_FACTOR
        near, far = np.exp(log_near[in_range]), np.exp(log_far[in_range])
        places, n_scores = np.flatnonzero(in_range), len(self.duals)
        doubts = self._doubts(errors)
        step = max(1, _SCORES_PER_PRODUCT // (n_scores * len(draws)))
        for first in range(0, len(places), step):
            weights = self.duals * near[first : first + step, None]
            sums = weights.reshape(-1, len(self.vectors)) @ draws.factors
            for i, scores in enumerate(sums.reshape(-1, n_scores, len(draws)), first):
                scores *= far[i]
                scores += self.intercept[:, None]
                votes[places[i]] = self._count(scores, float(doubts[places[i]]))
        for place in np.flatnonzero(votes.sum(axis=1) < len(draws)):
            votes[place] = self._count_closely(
                log_near[place], log_far[place], draws, float(errors[place])
            )
        return votes

    def _doubts(self, errors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bound what rounding may do to the difference of two scores of each input."""
        weights = np.abs(self.duals).sum(axis=1).max()
        return np.asarray(2 * (errors * weights + of_sum(1) * np.abs(self.intercept).max()))

    @property
    def _center(self) -> NDArray[np.float64]:
        """Exponents are smallest about the mean of the support vectors."""
        center: NDArray[np.float64] = self.vectors.mean(axis=0)
        return center


@dataclass(frozen=True)
class PolynomialScores(KernelScores):
    """Scores with the kernel ``(gamma x . s + constant) ** degree``."""

    constant: float
    degree: int

    def embed_noise(self, draws: NDArray[Any]) -> NDArray[np.float64]:
        """Return the products of draws with the support vectors."""
        products: NDArray[np.float64] = self.gamma * (
            self.vectors @ self.input_map.of_draws(draws).T
        )
        return products.T

    def doubts(self, embedded: NDArray[Any], noise: Any) -> NDArray[np.float64]:
        """Bound what rounding may do to the difference of two scores of each input, in any draw.

        The base of the power is a sum of terms no larger than ``B = gamma |s| (|x| + |z|) + |c|``,
        of which `of_sum` may be lost, and the error of ``base ** k`` is k times that, relatively
        to ``B ** k``, but for the rounding of as many products.
        """
        n = self.input_map.n_features
        far = reach_of(noise, n) * np.sqrt(n) * self.input_map.stretch()
        reach = embedded[:, -1] + far
        base = abs(self.gamma) * reach[:, None] * lengths(self.vectors) + abs(self.constant)
        values = base**self.degree
        relative = (self.degree + 1) * (2 * self._rounding() + of_sum(1))
        errors = (relative + of_sum(len(self.vectors))) * values @ np.abs(self.duals).T
        return np.asarray(2 * (errors + of_sum(1) * np.abs(self.intercept)).max(axis=1))

    def count_votes(self, inputs: Inputs, noise: Any, draws: NDArray[Any]) -> NDArray[np.int64]:
        """Count the votes of every input with every draw, but for those within `doubts`."""
        by_vector = draws.T
        base, power = np.empty_like(by_vector), np.empty_like(by_vector)
        votes = np.empty((len(inputs), self.n_classes), np.int64)
        doubts = self.doubts(inputs.values, noise)
        products = self.gamma * (inputs.values[:, :-1] @ self.vectors.T) + self.constant
        for i, seen in enumerate(products):
            np.add(by_vector, seen[:, None], out=base)
            scores = self.duals @ _whole_power(base, self.degree, out=power)
            scores += self.intercept[:, None]
            votes[i] = self._count(scores, float(doubts[i]))
        return votes


def _whole_power(base: NDArray[Any], degree: int, out: NDArray[Any]) -> NDArray[Any]:
    """Power by repeated products: many times faster than the general one."""
    out[:] = 1.0 if degree == 0 else base
    for _ in range(degree - 1):
        out *= base
    return out


def _square_distances(X: NDArray[Any], Y: NDArray[Any]) -> NDArray[Any]:
    squares = np.einsum("ij,ij->i", X, X)[:, None] + np.einsum("ij,ij->i", Y, Y)
    return np.maximum(squares - 2 * (X @ Y.T), 0.0)


@voter_of.register(NuSVC)
@voter_of.register(SVC)
def _(model: Any) -> FastVoter | None:
    n_classes = len(model.classes_)
    if model.break_ties and n_classes > 2:
        return None  # then predict follows other scores
    if sparse.issparse(model.support_vectors_) or model.kernel not in ("linear", "rbf", "poly"):
        return None
    duals = _pairwise_duals(model._dual_coef_, model.n_support_)
    if model.kernel == "linear":
        return _linear_pairs(model, duals)
    return kernel_scores(model, model.support_vectors_, duals, model._intercept_, pairs=True)


def kernel_scores(
    model: Any, vectors: Any, duals: Any, intercept: Any, *, pairs: bool
) -> KernelScores | None:
    """Scores with the kernel of a fitted support vector machine, or None for other kernels."""
    common: dict[str, Any] = {
        "vectors": np.asarray(vectors, dtype=float),
        "duals": np.asarray(duals, dtype=float),
        "intercept": np.asarray(intercept, dtype=float),
        "gamma": float(model._gamma),
        "pairs": pairs,
        "input_map": InputMap.identity(vectors.shape[1]),
    }
    if model.kernel == "rbf":
        return RadialScores(**common)
    if model.kernel == "poly":
        return PolynomialScores(**common, constant=float(model.coef0), degree=int(model.degree))
    return None


def _linear_pairs(model: Any, duals: NDArray[np.float64]) -> LinearScores:
    """Linear scores, with the terms that libsvm itself sums and rounds."""
    vectors = np.asarray(model.support_vectors_, dtype=float)
    terms = np.abs(duals) @ np.abs(vectors) * max(1, len(vectors))
    intercept = np.asarray(model._intercept_, dtype=float)
    if len(model.classes_) == 2:  # here a positive score is for the first class
        return LinearScores(-(duals @ vectors), -intercept, terms, np.abs(intercept))
    return LinearPairs(duals @ vectors, intercept, terms, np.abs(intercept))


def _pairwise_duals(dual_coef: NDArray[Any], n_support: NDArray[Any]) -> NDArray[np.float64]:
    """Weights of all support vectors in the score of each pair of classes, from libsvm's table.

    Its row ``j - 1`` (``i``) holds the weights of the vectors of class i (j) against class j (i)
    for ``i < j``.
    """
    starts = np.concatenate([[0], np.cumsum(n_support)])
    first, second = np.triu_indices(len(n_support), 1)
    duals = np.zeros((len(first), starts[-1]))
    for pair, (i, j) in enumerate(zip(first, second, strict=True)):
        of_i, of_j = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
        duals[pair, of_i] = dual_coef[j - 1, of_i]
        duals[pair, of_j] = dual_coef[i, of_j]
    return duals
