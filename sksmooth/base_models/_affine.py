"""Affine steps of a Pipeline: what they make of ``x + z`` is a matrix times it, and an offset."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from sksmooth.base_models._linear import dense
from sksmooth.base_models._registry import Registry
from sksmooth.inputs._containers import Inputs


@Registry
def affine_map(transformer: Any) -> tuple[Any, Any] | None:
    """Return matrix (or its diagonal) and offset of a fitted affine transformer, or None.

    Register a transformer of your own with ``affine_map.register(YourTransformer)``. A
    registration is for that very class: a subclass may have a `transform` of its own.
    """
    return None


@affine_map.register
def _(transformer: FrozenEstimator) -> tuple[Any, Any] | None:
    return affine_map(transformer.estimator)


@affine_map.register
def _(transformer: StandardScaler) -> tuple[Any, Any] | None:
    n_features = transformer.n_features_in_
    scale = 1.0 / dense(transformer.scale_) if transformer.with_std else np.ones(n_features)
    center = dense(transformer.mean_) if transformer.with_mean else np.zeros(n_features)
    return scale, -center * scale


@affine_map.register
def _(transformer: MinMaxScaler) -> tuple[Any, Any] | None:
    return None if transformer.clip else (dense(transformer.scale_), dense(transformer.min_))


@affine_map.register
def _(transformer: MaxAbsScaler) -> tuple[Any, Any] | None:
    if getattr(transformer, "clip", False):
        return None
    return 1.0 / dense(transformer.scale_), np.zeros(len(transformer.scale_))


@affine_map.register
def _(transformer: RobustScaler) -> tuple[Any, Any] | None:
    n_features = transformer.n_features_in_
    scale = 1.0 / dense(transformer.scale_) if transformer.with_scaling else np.ones(n_features)
    center = dense(transformer.center_) if transformer.with_centering else np.zeros(n_features)
    return scale, -center * scale


@affine_map.register
def _(transformer: PCA) -> tuple[Any, Any] | None:
    if transformer.whiten:
        return None
    components = dense(transformer.components_)
    return components, -components @ dense(transformer.mean_)


@affine_map.register
def _(transformer: TruncatedSVD) -> tuple[Any, Any] | None:
    return dense(transformer.components_), np.zeros(len(transformer.components_))


@affine_map.register
def _(transformer: SimpleImputer) -> tuple[Any, Any] | None:
    """Nothing is missing in rows that noise can be added to."""
    keeps_all = transformer.statistics_.dtype.kind == "f" and np.isfinite(transformer.statistics_)
    marks_nan = isinstance(transformer.missing_values, float) and np.isnan(
        transformer.missing_values
    )
    if transformer.add_indicator or not marks_nan or not np.all(keeps_all):
        return None
    n_features = len(transformer.statistics_)
    return np.ones(n_features), np.zeros(n_features)


@dataclass(frozen=True)
class InputMap:
    """Affine map of the inputs, for models that need what comes out of it and not its scores.

    Attributes
    ----------
    n_features : int
        Length of an input.
    maps : tuple of (matrix, offset)
        Applied from the first to the last; a vector stands for a diagonal matrix.
    """

    n_features: int
    maps: tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...] = ()

    @classmethod
    def identity(cls, n_features: int) -> InputMap:
        """Return the map that leaves inputs as they are."""
        return cls(n_features)

    def after(self, matrix: Any, offset: Any) -> InputMap:
        """Map of x, where this one is given ``matrix @ x + offset``."""
        matrix, offset = np.asarray(matrix, dtype=float), np.asarray(offset, dtype=float)
        return InputMap(matrix.shape[-1], ((matrix, offset), *self.maps))

    def suits(self, inputs: Inputs) -> bool:
        """Whether inputs have the right length."""
        return inputs.shape == (self.n_features,)

    def of_inputs(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Map inputs."""
        values = values.astype(float, copy=False)
        for matrix, offset in self.maps:
            values = _times(values, matrix) + offset
        return values

    def sizes(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Map inputs by absolute values: what their rounding errors are a part of."""
        sizes = np.abs(values).astype(float, copy=False)
        for matrix, offset in self.maps:
            sizes = _times(sizes, np.abs(matrix)) + np.abs(offset)
        return sizes

    def stretch(self) -> float:
        """Bound how much longer a vector may become."""
        norms = [np.abs(m).max() if m.ndim < 2 else np.linalg.norm(m) for m, _ in self.maps]
        return math.prod(map(float, norms))

    def of_draws(self, draws: NDArray[Any]) -> NDArray[np.float64]:
        """Map what is added to inputs."""
        draws = draws.astype(float, copy=False)
        for matrix, _ in self.maps:
            draws = _times(draws, matrix)
        return draws


def _times(values: NDArray[Any], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    product: NDArray[np.float64] = values * matrix if matrix.ndim < 2 else values @ matrix.T
    return product
