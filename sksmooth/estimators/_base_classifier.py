"""What wrappers of classifiers share: their base model, its labels, its votes."""

from typing import ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_y, check_consistent_length

from sksmooth.arguments._numbers import refuse_masked
from sksmooth.base_models._answers import classes_of
from sksmooth.base_models._names import name_of
from sksmooth.engine._black_box import BlackBoxVoter
from sksmooth.estimators._base import BaseSmoother
from sksmooth.estimators._wrapper import BaseWrapper
from sksmooth.voters._direct import directly


class BaseClassifier(ClassifierMixin, BaseWrapper):
    """Base class of the wrappers of a classifier."""

    _parameter_constraints: ClassVar[dict] = {
        **BaseWrapper._parameter_constraints,
        # without fit: told below what to do
        "estimator": [HasMethods("fit"), HasMethods("predict"), HasMethods("forward"), None],
    }

    def _default_estimator(self):
        return LogisticRegression(max_iter=1000)

    def _refuse_what_does_not_classify(self):
        """Refuse, before it is trained, a base model that is meant for something else."""
        model, tags = self._base_model(), self._base_tags()
        if not hasattr(model, "fit"):
            raise ValueError(
                f"estimator is a {name_of(model)} without fit. Pass a trained model as "
                "sklearn.frozen.FrozenEstimator(model). If it is a trained module of torch, "
                "pass sksmooth.nets.as_classifier(module.eval(), classes=...); to train it, put "
                "it into a net of skorch."
            )
        kind = None if tags is None else tags.estimator_type
        if kind not in (None, "classifier"):
            raise ValueError(
                f"The base model has to be a classifier; {name_of(model)} is a {kind}."
            )

    def _check_labels(self, rows, y):
        """Return y as an array, where it holds one label per row."""
        refuse_masked("y", y)
        shape = np.asarray(y, dtype=object).shape
        if len(shape) == 2 and shape[1] > 1:
            raise ValueError(
                f"y should be a 1d array of one label per row, got an array of shape {shape}."
                " If it has a column per class, pass numpy.argmax(y, axis=1); of several labels "
                "per row, certify one column at a time."
            )
        y = _check_y(y, estimator=self)
        check_consistent_length(rows.values, y)
        check_classification_targets(y)
        return y


class BaseSmoothedClassifier(BaseClassifier, BaseSmoother):
    """Base class of the smoothers whose base model votes with its labels."""

    _parameter_constraints: ClassVar[dict] = {
        **BaseSmoother._parameter_constraints,
        **BaseClassifier._parameter_constraints,
    }

    def _refuse_what_does_not_classify(self):
        super()._refuse_what_does_not_classify()
        model = self._base_model()
        if isinstance(model, FrozenEstimator) and not hasattr(model, "predict"):
            raise ValueError(
                f"The base model needs a predict method, which {name_of(model)} has not. Wrap it "
                "in a class whose predict returns one label per row; a module of torch becomes one "
                "with sksmooth.nets.as_classifier."
            )

    def _black_box(self):
        """Return the base model as it is asked for every vote."""
        return BlackBoxVoter(directly(self.estimator_), self.classes_)

    def _ask_about_first(self, inputs):
        """Ask the base model about one input: what it cannot take, it says before any sampling."""
        first = inputs[:1]
        clean = first.to_container(first.values.astype(first.dtype))
        self._black_box()(clean, len(first))


def sorted_classes(model, y):
    """Return the classes of a fitted model, some of which have to be in y."""
    classes = classes_of(model, y)
    if not np.isin(y, classes).any():
        raise ValueError(
            f"None of the labels in y ({', '.join(map(str, np.unique(y)[:5]))}) is a class of "
            f"{name_of(model)} ({', '.join(map(str, classes[:5]))}). Pass y with its labels."
        )
    return classes
