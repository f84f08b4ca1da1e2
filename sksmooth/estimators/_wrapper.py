"""What every wrapper of a base model shares: its seed, the metadata it passes on, its tags."""

import warnings
from abc import ABC, abstractmethod
from copy import deepcopy
from numbers import Integral
from typing import ClassVar
from uuid import uuid4

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils._metadata_requests import _routing_enabled
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted

from sksmooth.base_models._names import name_of
from sksmooth.engine._streams import Purpose
from sksmooth.estimators._stored import Stored
from sksmooth.inputs._containers import read_inputs
from sksmooth.inputs._schema import InputSchema
from sksmooth.noise import Noise

_NOT_FITTED = (
    "This %(name)s instance is not fitted yet. Call 'fit' with appropriate arguments before using "
    "this estimator. Where the model is trained already: "
    "%(name)s(sklearn.frozen.FrozenEstimator(model)).fit(X, y)."
)


class BaseWrapper(Stored, MetaEstimatorMixin, BaseEstimator, ABC):
    """Base class of the estimators that wrap a base model.

    A subclass defines `_default_estimator` and `fit`, which calls `_begin_fit` and leaves
    `estimator_`. Parameters that may change between calls are in `_PARAMETERS_OF_CALLS`.
    """

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods("fit"), None],
        "random_state": ["random_state"],
    }

    @abstractmethod
    def _default_estimator(self):
        """Return the base model used where `estimator` is None."""

    def _base_model(self):
        return self._default_estimator() if self.estimator is None else self.estimator

    def _seed_base_model(self, model):
        """Make the fit reproducible: an int for every random_state that the user left at None."""
        if self._seed is None:
            return
        rng = np.random.default_rng([self._seed, Purpose.BASE_MODEL])
        for name, value in sorted(model.get_params(deep=True).items()):
            if value is None and (name == "random_state" or name.endswith("__random_state")):
                model.set_params(**{name: int(rng.integers(np.iinfo(np.int32).max))})

    def _say_that_it_is_trained_again(self, stacklevel):
        """Warn, once, where the model that was passed is fitted already."""
        is_estimator = isinstance(self.estimator, BaseEstimator)
        if not is_estimator or _ends_frozen(self.estimator):
            return
        if not get_tags(self.estimator).requires_fit:
            return
        try:
            check_is_fitted(self.estimator)
        except NotFittedError:  # the rule
            return
        warnings.warn(
            f"{name_of(self.estimator)} is fitted already, and a clone of it is trained again. "
            "Pass it as sklearn.frozen.FrozenEstimator(model) to keep it as it is.",
            UserWarning,
            stacklevel=stacklevel + 1,
        )

    def _params_of_base_fit(self, sample_weight, params):
        """Metadata for the base model: as requested by it where routing is on, else all."""
        if sample_weight is not None:
            params = {**params, "sample_weight": sample_weight}
        if not _routing_enabled():
            return params
        return process_routing(self, "fit", **params).estimator.fit

    def set_params(self, **params):
        """Set parameters of the estimator, and of what it wraps.

        Parameters
        ----------
        **params : dict
            Parameters by name; those of the base model as ``estimator__name``.

        Returns
        -------
        self : object of this class
        """
        nested = [name for name in params if "__" in name]
        if nested and hasattr(self, "_nested_at_fit"):
            before = self.get_params(deep=True)
            for name in nested:
                self._nested_at_fit.setdefault(name, before.get(name))
        return super().set_params(**params)

    def _begin_fit(self, inputs=None):
        """Fix what belongs to this fit: seed, parameters, columns, and what identifies it."""
        self._schema = None if inputs is None else InputSchema.of(inputs)
        self._seed, self._fit_id = self._draw_seed(), uuid4().hex
        self._at_fit = {
            name: deepcopy(value) if isinstance(value, Noise) else value
            for name, value in self.get_params(deep=False).items()
            if name not in self._PARAMETERS_OF_CALLS
        }
        self._nested_at_fit = {}

    def _read_inputs(self, X):
        """Read X, whose columns and shape have to be those of fit."""
        inputs = read_inputs(X, owner=self)
        if self._schema is not None:
            self._schema.check(inputs, owner=self)
        return inputs

    def _check_ready(self):
        """Refuse what is not fitted, what no longer is what was fitted, and bad parameters."""
        check_is_fitted(self, msg=_NOT_FITTED)
        self._validate_params()
        changed = [n for n, value in self._at_fit.items() if not _same(getattr(self, n), value)]
        if self._nested_at_fit:
            now = self.get_params(deep=True)
            changed += [n for n, v in self._nested_at_fit.items() if not _same(now.get(n), v)]
        if changed:
            name = changed[0]
            value = self.get_params(deep=True).get(name)
            raise ValueError(
                f"{name} was changed to {value!r} after fit, where it has its effect. Call fit "
                "again, or set it back."
            )

    def _draw_seed(self):
        """Entropy fixed at fit, or None where each call takes fresh entropy."""
        if self.random_state is None or isinstance(self.random_state, Integral):
            return self.random_state
        return int(self.random_state.randint(np.iinfo(np.int32).max))

    def for_scoring(self):
        """Return what certifies where a model is selected.

        Returns
        -------
        certifier : object with `certify`
            A copy with other draws, where draws are made: a model is not to be certified by the
            draws that it was chosen by.
        """
        return self

    @property
    def n_features_in_(self):
        """Number of features seen during `fit`, where the base model tells."""
        return self._fitted_base_model().n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the features seen during `fit`, where the base model tells."""
        return self._fitted_base_model().feature_names_in_

    def _fitted_base_model(self):
        try:
            return self.__dict__["estimator_"]
        except KeyError:
            raise AttributeError(f"This {type(self).__name__} is not fitted yet.") from None

    def get_metadata_routing(self):
        """Describe which metadata reaches the `fit` of the base model.

        Returns
        -------
        routing : sklearn.utils.metadata_routing.MetadataRouter
        """
        return MetadataRouter(owner=type(self).__name__).add(
            estimator=self._base_model(),
            method_mapping=MethodMapping().add(caller="fit", callee="fit"),
        )

    def _base_tags(self):
        """Tags of the base model; None for a frozen object that is no scikit-learn estimator."""
        try:
            return get_tags(self._base_model())
        except AttributeError:
            return None

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        base_tags = self._base_tags()
        if base_tags is None:
            return tags
        tags.input_tags.two_d_array = base_tags.input_tags.two_d_array
        tags.input_tags.three_d_array = base_tags.input_tags.three_d_array
        tags.target_tags.required = base_tags.target_tags.required
        if tags.classifier_tags is not None and base_tags.classifier_tags is not None:
            tags.classifier_tags.multi_class = base_tags.classifier_tags.multi_class
        return tags


def _same(value, other):
    """Whether a parameter is what it was."""
    if value is other:
        return True
    if isinstance(value, Noise) or isinstance(other, Noise):
        return repr(value) == repr(other)
    try:
        return bool(np.array_equal(value, other))
    except (TypeError, ValueError):
        return False


def _ends_frozen(model):
    """Whether the last step of a Pipeline is frozen, after which it counts as fitted."""
    return isinstance(model, Pipeline) and isinstance(model.steps[-1][1], FrozenEstimator)
