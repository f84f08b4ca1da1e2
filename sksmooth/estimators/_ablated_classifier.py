"""Votes on bands and blocks of images, with certificates against patches."""

from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import _fit_context, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import _check_method_params

from sksmooth.arguments._numbers import read_count
from sksmooth.base_models._failures import explained
from sksmooth.base_models._one_row import check_answers, comparable_answers, is_plain
from sksmooth.certifiers.ablation._patches import AblatedVotes, ImageLayout, PatchCertifier
from sksmooth.engine._black_box import BlackBoxVoter
from sksmooth.engine._copies import CopySampler
from sksmooth.engine._streams import Purpose, Streams
from sksmooth.estimators._base_classifier import BaseClassifier, sorted_classes
from sksmooth.estimators._inner_validation import warn_of_copies_on_both_sides
from sksmooth.inputs._containers import read_inputs
from sksmooth.inputs._torch_containers import as_array
from sksmooth.noise import AblationNoise
from sksmooth.voters._direct import directly

# Images, and ablations of the first of them, that a base model is asked about before it votes.
_N_WHOLE, _N_ABLATED = 8, 56


class AblatedClassifier(BaseClassifier):
    """Classifier of images that no small patch can fool, with proofs that leave nothing to chance.

    The base model sees a band or a block of pixels at a time, and votes on each. A patch is seen by
    a few of them only, so that a class that is far enough ahead stays, whatever the patch shows and
    wherever it is.

    Parameters
    ----------
    estimator : classifier, default=None
        Base model: anything with `fit` and `predict`, which takes images in which most pixels are
        absent (see `noise`). Wrap a model that is already fitted in
        :class:`sklearn.frozen.FrozenEstimator`: any other is trained again. None: logistic
        regression.
    noise : AblationNoise, default=None
        What is kept, and how absent pixels are told to the base model. None: bands of three
        columns.
    image_shape : tuple of two int, default=None
        Height and width, where rows of X are features, line by line. None: rows of X that are
        features are one line of pixels, and others are images of shape (height, width) or with
        channels.
    channel_axis : int, default=-1
        Axis of the channels among the three axes of an image that has some. All channels of a pixel
        are kept or absent together.
    n_augment : int, default=10
        `fit` trains the base model on this many ablations of each row, drawn at random. 0: on
        whole images, of which a base model learns little about bands.
    batch_size : int, default=None
        Largest number of ablated images per call of the base model. None: a default.
    n_jobs : int, default=None
        Number of parallel workers, as in joblib.
    random_state : int, RandomState instance or None, default=None
        Seed of what the base model is trained on; votes are on all ablations and need none.
    verbose : int or bool, default=False
        Show a progress bar.

    Attributes
    ----------
    estimator_ : object
        Fitted base model.
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    noise_ : AblationNoise
        Ablations.
    n_ablations_ : int
        Number of votes on each image.
    n_features_in_ : int
        Number of features, where rows of X are features.

    See Also
    --------
    PatchCertificate : What `certify` returns.

    Notes
    -----
    The bands that see a patch are those of its width and their own, less one; the blocks those of
    both axes, multiplied. Take the smallest size with a good accuracy.

    References
    ----------
    .. [1] Levine, A. and Feizi, S. (2020). (De)randomized smoothing for certifiable defense
       against patch attacks. NeurIPS 2020.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sksmooth import AblatedClassifier
    >>> from sksmooth.noise import AblationNoise
    >>> X, y = load_digits(return_X_y=True)
    >>> X = X / 16
    >>> clf = AblatedClassifier(
    ...     RandomForestClassifier(20, n_jobs=1), noise=AblationNoise("blocks", size=4),
    ...     image_shape=(8, 8), n_augment=4, random_state=0
    ... )
    >>> certificate = clf.fit(X[:1000], y[:1000]).certify(X[1000:1100], patch=1)
    >>> bool(certificate.certified.mean() > 0.2)
    True
    """

    _PARAMETERS_OF_CALLS: ClassVar[frozenset[str]] = frozenset({"batch_size", "n_jobs", "verbose"})

    _parameter_constraints: ClassVar[dict] = {
        **BaseClassifier._parameter_constraints,
        "noise": [AblationNoise, None],
        "image_shape": ["array-like", None],
        "channel_axis": [Interval(Integral, -3, 2, closed="both")],
        "n_augment": [Interval(Integral, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "n_jobs": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Integral, None, -1, closed="right"),
            None,
        ],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        noise=None,
        image_shape=None,
        channel_axis=-1,
        n_augment=10,
        batch_size=None,
        n_jobs=None,
        random_state=None,
        verbose=False,
    ):
        self.estimator = estimator
        self.noise = noise
        self.image_shape = image_shape
        self.channel_axis = channel_axis
        self.n_augment = n_augment
        self.batch_size = batch_size
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, **params):
        """Fit the base model on ablations of X.

        Parameters
        ----------
        X : array-like of shape (m, n_features), (m, height, width) or with channels
            Training images.
        y : array-like of shape (m,)
            Class labels.
        sample_weight : array-like of shape (m,), default=None
            Weights of the rows, for base models that take them; each ablation has that of its row.
        **params : dict
            Passed to `fit` of the base model. Entries with one value per row are repeated.

        Returns
        -------
        self : AblatedClassifier

        Raises
        ------
        ValueError
            If a parameter or X cannot work; the message says which and what to do.
        """
        self._refuse_what_does_not_classify()
        rows = read_inputs(as_array(X), owner=self)
        y = self._check_labels(rows, y)
        self.noise_ = AblationNoise() if self.noise is None else clone(self.noise)
        self._layout = ImageLayout.of(rows.shape, self._checked_image(), int(self.channel_axis))
        self._masks = self._layout.draws(self.noise_.masks(self._layout.image))
        self.n_ablations_ = len(self._masks)
        self._begin_fit(rows)
        params = self._params_of_base_fit(sample_weight, params)
        model = self._fit_base_model(rows, y, params)
        self.estimator_, self.classes_ = model, sorted_classes(model, y)
        self._refuse_unsteady_answers(rows.values)
        return self

    def _refuse_unsteady_answers(self, values):
        """Refuse a model whose answer for an ablation depends on more than the ablation."""
        whole = values[:_N_WHOLE]
        some = np.linspace(0, self.n_ablations_ - 1, _N_ABLATED).astype(int)
        images = np.concatenate([whole, np.repeat(values[:1], _N_ABLATED, axis=0)])
        present = np.ones((len(whole), *self._masks.shape[1:]), bool)
        encoded = self._encoded(images, np.concatenate([present, self._masks[some]]))
        # what is absent may be NaN, which no X is
        asked = read_inputs(np.zeros_like(encoded), owner=self).with_values(encoded)
        voter = BlackBoxVoter(self.estimator_, self.classes_)
        check_answers(self.estimator_, asked, voter, n_noisy=_N_ABLATED)

    def _checked_image(self):
        if self.image_shape is None:
            return None
        if len(self.image_shape) != 2:
            raise ValueError(f"image_shape must hold height and width, got {self.image_shape!r}.")
        height, width = (read_count("image_shape", n, 1) for n in self.image_shape)
        return height, width

    def _encoded(self, values, masks):
        """Images as the base model gets them."""
        return self.noise_.encode(self.noise_.apply(values, masks), self._layout.encoded_axis)

    def _fit_base_model(self, rows, y, params):
        """Fit a clone of the base model; a frozen one is left as it is."""
        model = clone(self._base_model())
        if isinstance(model, FrozenEstimator):
            return model
        values, masks = rows.values, np.ones(1, bool)
        if self.n_augment:
            n_copies = int(self.n_augment)
            warn_of_copies_on_both_sides(model, n_copies, len(rows), stacklevel=3)
            copies = np.tile(np.arange(len(rows)), n_copies)
            seed = None if self._seed is None else [self._seed, Purpose.AUGMENTATION]
            drawn = np.random.default_rng(seed).integers(self.n_ablations_, size=len(copies))
            params = _check_method_params(values, params, indices=copies)
            values, y, masks = values[copies], y[copies], self._masks[drawn]
        X = self._encoded(values, masks)
        self._seed_base_model(model)
        with explained(model, X, y):
            return model.fit(X, y, **params)

    def predict(self, X):
        """Class with the most votes among all ablations of each image.

        Parameters
        ----------
        X : array-like of shape (m, n_features), (m, height, width) or with channels
            Images.

        Returns
        -------
        y : ndarray of shape (m,)
            Class labels; of classes with equally many votes, the first.
        """
        counts = self._certifier(X).counts()
        return self.classes_[counts.argmax(axis=1)]

    def predict_proba(self, X):
        """Proportions of the votes of all ablations of each image.

        Parameters
        ----------
        X : array-like of shape (m, n_features), (m, height, width) or with channels
            Images.

        Returns
        -------
        probabilities : ndarray of shape (m, n_classes)
            In the order of `classes_`.
        """
        counts = self._certifier(X).counts()
        return counts / self.n_ablations_

    def certify(self, X, *, patch, n_patches=1, top_k=1):
        """Prove that no patch changes the prediction, wherever it is and whatever it shows.

        Parameters
        ----------
        X : array-like of shape (m, n_features), (m, height, width) or with channels
            Images.
        patch : int or tuple of two int
            Height and width of the patch, in pixels; a number: of a square.
        n_patches : int, default=1
            Number of patches of this size, at any places.
        top_k : int, default=1
            Prove that the predicted class stays among this many classes with the most votes.

        Returns
        -------
        certificate : PatchCertificate

        Raises
        ------
        ValueError
            If X or an option cannot work; the message says which and what to do.
        """
        size = self._checked_patch(patch)
        n_patches, top_k = read_count("n_patches", n_patches, 1), read_count("top_k", top_k, 1)
        certifier = self._certifier(X)
        if top_k > max(len(self.classes_) - 1, 1):
            raise ValueError(
                f"top_k must be less than the number of classes, {len(self.classes_)}; got {top_k}."
            )
        return certifier.certify(size, n_patches, top_k)

    def _checked_patch(self, patch):
        size = (patch, patch) if np.ndim(patch) == 0 else tuple(patch)
        if len(size) != 2:
            raise ValueError(f"patch must be a number of pixels, or height and width; got {patch}.")
        return tuple(read_count("patch", n, 1) for n in size)

    def _certifier(self, X):
        """Check X and the parameters, and return what votes and certifies."""
        self._check_ready()
        inputs = self._read_inputs(X)
        if not is_plain(self.estimator_) and comparable_answers(self.estimator_) is None:
            self._refuse_unsteady_answers(inputs.values)
        plain = read_inputs(inputs.values, owner=self)  # the base model gets arrays
        plain.index = inputs.index
        votes = AblatedVotes(
            directly(self.estimator_), self.classes_, self.noise_, self._layout.encoded_axis
        )
        sampler = CopySampler(
            votes,
            plain,
            Streams(self.noise_, seed=0),
            self.n_ablations_,
            batch_size=None if self.batch_size is None else int(self.batch_size),
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        )
        return PatchCertifier(sampler, self._layout, self.classes_)

    @property
    def n_features_in_(self):
        """Number of features seen during `fit`, where rows of X are features."""
        self._fitted_base_model()
        if len(self._layout.shape) > 1:
            raise AttributeError("Images have no number of features.")
        return self._layout.shape[0]

    @property
    def feature_names_in_(self):
        """Names of the features seen during `fit`, where X was a data frame."""
        self._fitted_base_model()
        if self._schema.names is None:
            raise AttributeError("X had no names of features at fit.")
        return np.asarray(self._schema.names, dtype=object)
