"""No module uses an underscore name of another: what is shared has a name without one."""

from pathlib import Path

import pytest
from private_names import private_attributes, private_imports
from source_tree import SourceTree

import sksmooth

SOURCE = SourceTree.of_folder(Path(sksmooth.__file__).parent)

# Names of other packages: where, which, and why. scikit-learn and skorch mean some of theirs for
# those who write estimators; of fitted models some things are to be had in no other way.
WRITES_ESTIMATORS = ("sksmooth.estimators", "sksmooth.training")
READS_MODELS = (
    "sksmooth.attacks",
    "sksmooth.base_models",
    "sksmooth.nets",
    "sksmooth.smooth_scores",
    "sksmooth.voters",
)
ALLOWED = [
    (WRITES_ESTIMATORS, "sklearn.base._fit_context", "checks parameters around fit"),
    (WRITES_ESTIMATORS, "sklearn.utils._param_validation.", "constraints of parameters"),
    (WRITES_ESTIMATORS, "sklearn.utils._metadata_requests._routing_enabled", "routing of metadata"),
    (WRITES_ESTIMATORS, "sklearn.utils.validation._check_", "checks of rows, names and labels"),
    (WRITES_ESTIMATORS, "_validate_params", "checks parameters outside of fit"),
    (WRITES_ESTIMATORS, "_set_training", "what skorch calls to switch layers"),
    (
        ("sksmooth.base_models", "sksmooth.estimators"),
        "sklearn.utils._safe_indexing",
        "rows and columns of any container: in scikit-learn's reference",
    ),
    (("sksmooth.metrics",), "_estimator_type", "kind of an estimator without tags"),
    (READS_MODELS, "_get_predict_nonlinearity", "how a skorch net makes probabilities"),
    (READS_MODELS, "_conv_forward", "a convolution of torch with other weights"),
    (READS_MODELS, "_forward_hooks", "whether a layer of torch does more than its class"),
    (READS_MODELS, "_forward_pre_hooks", "whether a layer of torch does more than its class"),
    (READS_MODELS, "_NormBase", "base class of the layers of torch that normalize"),
    (READS_MODELS, "_BatchNorm", "base class of the layers of torch that normalize batches"),
    (READS_MODELS, "_DropoutNd", "base class of the layers of torch that drop units"),
    (READS_MODELS, "_label_binarizer", "classes of a perceptron that was given indicators"),
    (READS_MODELS, "_gamma", "gamma of a support vector machine, as a number"),
    (READS_MODELS, "_dual_coef_", "signs as libsvm has them"),
    (READS_MODELS, "_intercept_", "signs as libsvm has them"),
    (READS_MODELS, "_fit_X", "rows that a nearest neighbour model was fitted to"),
    (READS_MODELS, "_fit_method", "how a nearest neighbour model searches"),
    (READS_MODELS, "_predictors", "trees of histogram boosting: nothing public tells thresholds"),
    (READS_MODELS, "_y", "labels that a nearest neighbour model was fitted to"),
]


# Still to be cleared.
def uses(source):
    """Uses of underscore names of others: module, name, and what is done."""
    for module in source.trees:
        for name in private_imports(source, module):
            yield module, name, f"imports {name}"
        for name, text in private_attributes(source, module):
            yield module, name, f"uses {text}"


USES = sorted(set(uses(SOURCE)))


def allows(exception, module, name):
    places, known, _ = exception
    if not f"{module}.".startswith(tuple(f"{place}." for place in places)):
        return False
    return name == known or ("." in known and name.startswith(known))


def violations(found):
    for module, name, what in found:
        if not any(allows(exception, module, name) for exception in ALLOWED):
            yield f"{module} {what}"


def test_modules_use_no_underscore_names_of_others():
    assert list(violations(USES)) == []


@pytest.mark.parametrize("exception", ALLOWED, ids=lambda exception: exception[1])
def test_every_exception_is_needed(exception):
    assert any(allows(exception, module, name) for module, name, _ in USES)


BASE = """
class Base:
    _limit: int = 3

    def __init__(self):
        self._seed = 0

    def _draw(self):
        pass

    def public(self):
        pass

def _helper():
    pass
"""


@pytest.mark.parametrize(
    "text",
    [
        "from p._a import _helper",
        "from p import _a\n\n_a._helper()",
        "from p._a import Base\n\nBase._limit",
        "def f(base):\n    return base._seed",
        "def f(base):\n    return base.inner._draw()",
        "def f(base):\n    base._seed = 1",
        "def f(base):\n    return getattr(base, '_seed')",
        "class Other:\n    def f(self):\n        return self._seed",
        "class Other:\n    def f(self, base):\n        self.x = 1\n        return base._seed",
        "from p._a import Base\n\nclass Own(Base):\n    def f(self, other):\n        other._draw()",
        "from sklearn.base import _fit_context",
        "from sklearn.utils._param_validation import Interval",
    ],
)
def test_a_use_of_an_underscore_name_of_another_is_seen(text):
    source = SourceTree({"p/__init__.py": "", "p/_a.py": BASE, "p/_b.py": text})
    assert [story.partition(" ")[0] for story in violations(uses(source))] == ["p._b"]


@pytest.mark.parametrize(
    "text",
    [
        "from p import _a",
        "from p._a import Base",
        "from p._a import Base\n\nBase().__dict__",
        "def _f():\n    pass\n\ndef g(other):\n    return other._f()",
        "class Own:\n    def _f(self, other):\n        return other._f(self)",
        "from p._a import Base\n\nclass Own(Base):\n    def f(self):\n        self._draw()",
        "from p._a import Base\n\nclass Own(Base):\n    def _draw(self):\n        super()._draw()",
        "from p import Base\n\nclass Own(Base):\n    def f(self):\n        return self._limit",
        "from p._a import Base\n\nclass Own(Base):\n    def f(self):\n"
        "        new = copy(self)\n        new._seed = 1",
    ],
)
def test_own_and_inherited_names_may_be_used(text):
    exports = "from p._a import Base"
    source = SourceTree({"p/__init__.py": exports, "p/_a.py": BASE, "p/_b.py": text})
    assert list(violations(uses(source))) == []
