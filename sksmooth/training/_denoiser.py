"""Denoised smoothing: a regressor in front of a classifier that has never seen noise."""

from functools import partial
from importlib import import_module
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, TransformerMixin, _fit_context, clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from sksmooth.engine._augmentation import augment
from sksmooth.engine._seeds import seed_from
from sksmooth.engine._streams import Purpose, Streams
from sksmooth.inputs._containers import read_inputs
from sksmooth.noise import make_noise
from sksmooth.voters._direct import directly


class Denoiser(TransformerMixin, MetaEstimatorMixin, BaseEstimator):
    """Transformer that takes noise off its inputs, learned by a regressor.

    Put in front of a classifier that was trained without noise, it makes one that can be smoothed
    without training the classifier again (denoised smoothing [1]_)::

        SmoothedClassifier(make_pipeline(Denoiser(regressor), FrozenEstimator(classifier)))

    The smoother hands its noise and X itself down, so that there is one `sigma` to choose.

    Parameters
    ----------
    regressor : regressor or callable, default=None
        Learns clean X from noisy X. Anything with `fit` and `predict` for several outputs; X of
        more than two axes reaches it as it is, except scikit-learn's own regressors, for which
        ``flatten=True``. A denoiser that is already trained is wrapped in
        :class:`sklearn.frozen.FrozenEstimator`, or is a function or torch module from noisy X to
        clean X. None: ridge regression.
    noise : str or Noise, default="gaussian"
        Distribution of the noise, as in :class:`sksmooth.SmoothedClassifier`.
    sigma : float, default=0.25
        Root mean square of the noise per feature, in the units of X.
    loss : {"mse", "stability", "mse+stability"}, default="mse"
        What the regressor learns. "mse": clean X, with its own loss. "stability": that `classifier`
        gives denoised X the labels that it gives clean X; for a regressor of skorch. Both, one
        after the other, as in [1]_, each for as many epochs as the regressor has.
    classifier : torch.nn.Module or FrozenEstimator of a fitted skorch net, default=None
        Whose answers are kept, for "stability"; it is left as it is.
    n_augment : int, default=10
        Noisy copies of each row that the regressor learns from.
    flatten : bool, default=False
        Hand X to the regressor as rows of numbers.
    clip : tuple of two floats, default=None
        Least and largest value of what is returned, such as (0, 1).
    random_state : int, RandomState instance or None, default=None
        Seed of the noise. None: fresh entropy.

    Attributes
    ----------
    regressor_ : object
        Fitted regressor. Of a torch module, a copy in evaluation mode.
    noise_ : Noise
        Distribution of the noise.

    Notes
    -----
    A certificate holds whatever the denoiser does: it is part of the base model.

    The classifier behind it is meant to be frozen: in a Pipeline it would be fitted to what the
    denoiser makes of X without noise.

    References
    ----------
    .. [1] Salman, H., Sun, M., Yang, G., Kapoor, A. and Kolter, J. Z. (2020). Denoised smoothing: a
       provable defense for pretrained classifiers. NeurIPS 2020.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.training import Denoiser
    >>> X, y = load_digits(return_X_y=True)
    >>> X = X / 16
    >>> svc = FrozenEstimator(SVC().fit(X[:1000], y[:1000]))  # has never seen noise
    >>> clf = SmoothedClassifier(make_pipeline(Denoiser(), svc), sigma=0.5, n_estimation=200)
    >>> clf.fit(X[:1000], y[:1000]).estimator_[0].noise_
    GaussianNoise(k=0, sigma=0.5)
    """

    _parameter_constraints: ClassVar[dict] = {
        "regressor": [HasMethods(["fit", "predict"]), callable, None],
        "noise": "no_validation",  # make_noise says what describes no noise
        "sigma": "no_validation",
        "loss": [StrOptions({"mse", "stability", "mse+stability"})],
        "classifier": "no_validation",
        "n_augment": [Interval(Integral, 1, None, closed="left")],
        "flatten": ["boolean"],
        "clip": [tuple, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        regressor=None,
        *,
        noise="gaussian",
        sigma=0.25,
        loss="mse",
        classifier=None,
        n_augment=10,
        flatten=False,
        clip=None,
        random_state=None,
    ):
        self.regressor = regressor
        self.noise = noise
        self.sigma = sigma
        self.loss = loss
        self.classifier = classifier
        self.n_augment = n_augment
        self.flatten = flatten
        self.clip = clip
        self.random_state = random_state

    def train_under(self, noise):
        """Take the noise of a smoother, which then does not augment.

        Parameters
        ----------
        noise : Noise
            Distribution of the noise that is to be taken off.

        Returns
        -------
        self : Denoiser
        """
        return self.set_params(noise=clone(noise), sigma=noise.sigma)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Learn to take noise off X.

        Parameters
        ----------
        X : array-like of shape (m, n_features) or (m, ...)
            Inputs without noise.
        y : None
            Ignored.

        Returns
        -------
        self : Denoiser

        Raises
        ------
        ValueError
            If a parameter or X cannot work.
        """
        self._check_clip()
        inputs = self._begin(X)
        trained = self._already_trained()
        if trained is not None:
            self.regressor_ = trained
            return self
        keeping = self._loss_of_answers()
        streams = Streams(self.noise_, seed_from(self.random_state))
        noisy = augment(inputs, streams.of(Purpose.AUGMENTATION, inputs), self.n_augment)
        clean = np.tile(inputs.values, (self.n_augment, *[1] * len(inputs.shape)))
        noisy, clean = self._as_seen(noisy), self._as_seen(clean.astype(noisy.dtype, copy=False))
        regressor = Ridge() if self.regressor is None else clone(self.regressor)
        if self.loss != "stability":
            regressor.fit(noisy, clean)
        if keeping is not None:
            second = clone(regressor).set_params(criterion=keeping).initialize()
            if self.loss != "stability":  # goes on from there, with an optimizer of its own
                second.module_.load_state_dict(regressor.module_.state_dict())
            regressor = second.partial_fit(noisy, clean)
        self.regressor_ = regressor
        return self

    def transform(self, X):
        """Take noise off X.

        Parameters
        ----------
        X : array-like of shape (m, n_features) or (m, ...)
            Noisy inputs.

        Returns
        -------
        denoised : ndarray of the shape and dtype of X
        """
        check_is_fitted(self, "noise_")
        inputs = read_inputs(X, owner=self)
        validate_data(self, X, reset=False, skip_check_array=True)
        values = inputs.values.astype(inputs.dtype, copy=False)
        denoised = np.asarray(self._denoise(self._as_seen(values)))
        if np.iscomplexobj(denoised):
            raise ValueError(
                "The regressor returned complex numbers; a denoiser has to return real ones. "
                "Let it return numpy.real(outputs) if that is what is meant."
            )
        denoised = denoised.astype(inputs.dtype, copy=False)
        if denoised.size != values.size:
            raise ValueError(
                f"The regressor returned an array of shape {denoised.shape} for inputs of shape "
                f"{values.shape}; a denoiser has to return one number per feature."
            )
        denoised = denoised.reshape(values.shape)
        return denoised if self.clip is None else np.clip(denoised, *self.clip)

    def _begin(self, X):
        inputs = read_inputs(X, owner=self)
        self.noise_ = make_noise(self.noise, sigma=self.sigma)
        validate_data(self, X, skip_check_array=True)
        return inputs

    def _check_clip(self):
        clip = self.clip
        if clip is None:
            return
        numbers = len(clip) == 2 and all(isinstance(value, Real) for value in clip)
        if not (numbers and clip[0] < clip[1]):
            raise ValueError(
                f"clip={clip!r} must hold the least and then the largest value of what is "
                "returned, such as (0, 1)."
            )

    def _already_trained(self):
        """Return what is used without training: a frozen regressor, a function or a module."""
        regressor = self.regressor
        if isinstance(regressor, FrozenEstimator):
            regressor = regressor.estimator
        elif regressor is None or hasattr(regressor, "fit"):
            return None
        if not hasattr(regressor, "state_dict"):
            return self.regressor
        return import_module("sksmooth.nets._module_regressor").in_evaluation_mode(regressor)

    def _loss_of_answers(self):
        """Return the loss against the answers of the classifier, if it is asked for."""
        if self.loss == "mse":
            return None
        if self.classifier is None or not hasattr(self.regressor, "criterion"):
            raise ValueError(
                f"loss={self.loss!r} needs classifier=..., whose answers are kept, and a regressor "
                "of skorch (NeuralNetRegressor). Use loss='mse' for other regressors."
            )
        loss = import_module("sksmooth.training._stability_loss").StabilityLoss
        loss(self.classifier)  # refuses what has no gradients
        return partial(loss, self.classifier)

    def _denoise(self, values):
        regressor = directly(self.regressor_)
        return getattr(regressor, "predict", regressor)(values)

    def _as_seen(self, values):
        return values.reshape(len(values), -1) if self.flatten else values
