"""What every smoother shares: its noise, its seed, and how its base model is fitted."""

from abc import ABC, abstractmethod
from copy import copy
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils._metadata_requests import _routing_enabled
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import _check_method_params

from sksmooth.engine._augmentation import augment
from sksmooth.engine._streams import DrawStream, Purpose, derived_seed
from sksmooth.estimators._noise_training import hand_noise_down, part_that_adds_noise

_POSITIVE = Interval(Real, 0, None, closed="neither")


class BaseSmoother(MetaEstimatorMixin, BaseEstimator, ABC):
    """Base class of the estimators that perturb the inputs of a base model.

    A subclass is final. It has the parameters below, and defines `_default_estimator` and
    `fit`, which calls `_fit_base_model` and leaves `estimator_`, `noise_` and `_seed`.
    """

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods("fit"), None],
        "sigma": [_POSITIVE],
        "n_augment": [Interval(Integral, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "n_jobs": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Integral, None, -1, closed="right"),
            None,
        ],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    @abstractmethod
    def _default_estimator(self):
        """Return the base model used where `estimator` is None."""

    def _base_model(self):
        return self._default_estimator() if self.estimator is None else self.estimator

    def _fit_base_model(self, X, rows, y, params):
        """Fit a clone of the base model on noisy copies of X; a frozen one is left as it is.

        A model (or the first step of a Pipeline) with a method `train_under` is given the noise
        and X itself instead.
        """
        model = clone(self._base_model())
        if isinstance(model, FrozenEstimator):
            return model
        with_noise = part_that_adds_noise(model)
        if with_noise is not None:
            hand_noise_down(with_noise, getattr(self, "noise_", None))
        elif self.n_augment:
            copies = np.tile(np.arange(len(rows)), self.n_augment)
            noisy = augment(rows, self._stream(rows, Purpose.AUGMENTATION), self.n_augment)
            X, y = rows.to_container(noisy), None if y is None else y[copies]
            params = _check_method_params(rows.values, params, indices=copies)
        self._seed_base_model(model)
        return model.fit(X, y, **params)

    def _seed_base_model(self, model):
        """Make the fit reproducible: an int for every random_state that the user left at None."""
        if self._seed is None:
            return
        rng = np.random.default_rng([self._seed, Purpose.BASE_MODEL])
        for name, value in sorted(model.get_params(deep=True).items()):
            if value is None and (name == "random_state" or name.endswith("__random_state")):
                model.set_params(**{name: int(rng.integers(np.iinfo(np.int32).max))})

    def _params_of_base_fit(self, params):
        """Metadata for the base model: as requested by it where routing is on, else all."""
        if not _routing_enabled():
            return params
        return process_routing(self, "fit", **params).estimator.fit

    def _draw_seed(self):
        """Entropy fixed at fit, or None where each call takes fresh entropy."""
        if self.random_state is None or isinstance(self.random_state, Integral):
            return self.random_state
        return int(self.random_state.randint(np.iinfo(np.int32).max))

    def _for_scoring(self):
        """Return a copy with other draws: a model is not certified by those it was chosen by."""
        scorer = copy(self)
        if self._seed is not None:
            scorer._seed = derived_seed(self._seed, Purpose.SCORING)
        return scorer

    def _stream(self, rows, purpose):
        seed = np.random.SeedSequence().entropy if self._seed is None else int(self._seed)
        return DrawStream(self.noise_, seed, purpose, rows.shape, rows.dtype)

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
