"""What smoothers of outputs share: the base model's response, its checks, the clean outputs."""

from abc import abstractmethod
from dataclasses import replace
from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_consistent_length

from sksmooth.arguments._numbers import refuse_masked
from sksmooth.base_models._names import name_of
from sksmooth.base_models._one_row import check_answers
from sksmooth.engine._black_box import Responder
from sksmooth.engine._sampling import OutputSampler
from sksmooth.estimators._base import BaseSmoother
from sksmooth.inputs._checks import refuse_out_of_range, warn_of_whole_numbers
from sksmooth.inputs._containers import read_inputs
from sksmooth.inputs._torch_containers import as_array
from sksmooth.noise import GaussianNoise
from sksmooth.noise._lattice import Rounding
from sksmooth.voters._direct import directly

_METHODS = ("predict", "transform", "predict_proba")


class BaseOutputSmoother(RegressorMixin, BaseSmoother):
    """Base class of the smoothers whose base model has outputs instead of votes.

    A subclass defines `_prepare`, which is given a few outputs at fit.
    """

    _PARAMETERS_OF_CALLS: ClassVar[frozenset[str]] = frozenset(
        {"alpha", "batch_size", "n_estimation", "n_jobs", "verbose"}
    )

    _parameter_constraints: ClassVar[dict] = {
        **BaseSmoother._parameter_constraints,
        "alpha": [Interval(Real, 0, 0.5, closed="neither")],
        "response_method": [StrOptions({"auto", *_METHODS})],
    }

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, sample_weight=None, **params):
        """Fit the base model on noisy copies of X.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Training inputs, as the base model takes them.
        y : array-like of shape (m,) or (m, ...), default=None
            Targets; None for base models that need none, such as transformers.
        sample_weight : array-like of shape (m,), default=None
            Weights of the rows, for base models that take them; each noisy copy has that of its
            row.
        **params : dict
            Passed to `fit` of the base model, as :class:`SmoothedClassifier` does.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If a parameter or X cannot work; the message says which and what to do.
        """
        self._check_levels()
        X = as_array(X)
        rows = read_inputs(X, owner=self)
        y = self._read_targets(y, rows)
        self._refuse_labels(y)
        rows = self._arranged_at_fit(rows)
        self.noise_ = GaussianNoise(self.sigma)
        self._lattice = self._lattice_for(rows)
        warn_of_whole_numbers(rows, stacklevel=3)
        self._begin_fit(rows)
        model = self._fit_base_model(X, rows, y, self._params_of_base_fit(sample_weight, params))
        self.estimator_ = model
        self.response_method_ = self._response_of(model)
        responder = Responder(model, self.response_method_)
        check_answers(model, rows, responder)
        some = rows[:32]
        outputs = responder(some.to_container(some.values.astype(rows.dtype)), len(some))
        self._refuse_labels(outputs)
        self.output_shape_ = outputs.shape[1:]
        self._prepare(outputs)
        return self

    def smoothing_error(self, X):
        """Distance between the smoothed output and that of the base model without noise.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.

        Returns
        -------
        error : ndarray of shape (m,)
            In the distance of the estimator (the largest coordinate for median smoothing).
        """
        return self._errors(self.predict(X), self._sampler(self._read(X)).clean())

    def prediction_error(self, X, y):
        """Distance between the smoothed output and the target.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.
        y : array-like of shape (m,) or (m, ...)
            Targets, of the shape of the outputs.

        Returns
        -------
        error : ndarray of shape (m,)
            In the distance of the estimator (the largest coordinate for median smoothing).
        """
        self._check_ready()
        y = np.asarray(y)
        if y.shape[1:] != self.output_shape_:
            raise ValueError(
                f"y has shape {y.shape}, and one output has shape {self.output_shape_}."
            )
        X = as_array(X)
        check_consistent_length(X, y)
        return self._errors(self.predict(X), y)

    def _errors(self, outputs, others):
        distance = self._error_distance()
        return np.asarray(distance.from_metric(distance.of_pairs(outputs, others)))

    def _read_targets(self, y, rows):
        tags = self._base_tags()
        if y is None:
            frozen = isinstance(self._base_model(), FrozenEstimator)
            if tags is not None and tags.target_tags.required and not frozen:
                raise ValueError(
                    f"{name_of(self._base_model())} requires y to be passed, but the target y is "
                    "None."
                )
            return None
        refuse_masked("y", y)
        y = check_array(
            y, ensure_2d=False, allow_nd=True, dtype=None, input_name="y", estimator=self
        )
        check_consistent_length(rows.values, y)
        return y

    def _response_of(self, model):
        wanted = _METHODS if self.response_method == "auto" else (self.response_method,)
        for method in wanted:
            if hasattr(model, method):
                return method
        raise ValueError(
            f"{name_of(model)} has no method {' or '.join(wanted)}. Wrap it in a class whose "
            "predict returns one output per row."
        )

    @abstractmethod
    def _prepare(self, outputs):
        """Settle, at fit, what depends on the outputs; some are given."""

    @abstractmethod
    def _error_distance(self):
        """Return the distance that errors are measured in."""

    def _refuse_labels(self, values):
        """Refuse labels where numbers are compared; `values` are targets or outputs of the model.

        An indicator matrix of several labels is numbers.
        """
        model, tags = self._base_model(), self._base_tags()
        if self.response_method not in ("auto", "predict") or values is None:
            return
        if not (
            hasattr(model, "classes_") if tags is None else tags.estimator_type == "classifier"
        ):
            return
        several = values.ndim > 1 and values.shape[1] > 1 and values.dtype.kind in "biuf"
        if (several and np.isin(values, (0, 1)).all()) or not self._reads_numbers():
            return
        raise ValueError(
            f"{name_of(model)} is a classifier, and its labels, which are names, would be taken "
            'for numbers. Use CenterSmoothedRegressor(distance="discrete") for labels, '
            'response_method="predict_proba" for their probabilities, and for a model of numbers a '
            "regressor: a class whose predict returns them, or sksmooth.nets.as_regressor for a "
            "module that was passed to as_classifier."
        )

    def _reads_numbers(self):
        """Whether outputs are compared as numbers."""
        return True

    def _default_estimator(self):
        return Ridge()

    def _check_levels(self):
        """Refuse, before the base model is trained, numbers of draws that can prove nothing."""

    def _certified(self, certifier, inputs, radii):
        """Certify radii of shape (n_radii, m), in scaled units where there are such.

        Quotients of X and the scale are rounded: so much more is covered.
        """
        covered = radii * (1.0 + 2.0**-50) + inputs.blur(2) if inputs.layout else radii
        certificates = certifier.certify(covered)
        return [
            replace(certificate.of_inputs(inputs), input_radius=radius)
            for certificate, radius in zip(certificates, radii, strict=True)
        ]

    def _rounding(self):
        """Return what the rounding of inputs and noise takes from certificates."""
        return Rounding.of(self.noise_step_, self.noise_, self._schema.n_features)

    def _responder(self):
        model = directly(self.estimator_)
        return Responder(model, self.response_method_, self.output_shape_)

    def _sampler(self, inputs):
        return OutputSampler(self._responder(), inputs, self._streams(), **self._engine_options())

    def _read(self, X):
        self._check_ready()
        self._check_levels()
        rows = self._read_inputs(X)
        refuse_out_of_range(rows, self._lattice)
        self._refuse_unsteady_answers(self.estimator_, rows, self._responder())
        return rows

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        base_tags = self._base_tags()
        if base_tags is not None:
            tags.target_tags.multi_output = base_tags.target_tags.multi_output
            tags.target_tags.single_output = base_tags.target_tags.single_output
        return tags
