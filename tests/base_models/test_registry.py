"""What is known of a class is known of that very class, and of objects without own methods."""

import pickle
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth.base_models._affine import affine_map
from sksmooth.base_models._registry import Registry, own_methods
from sksmooth.smooth_scores import smooth_score
from sksmooth.voters import voter_of
from sksmooth.voters._direct import directly

X, Y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
REGISTRIES = [affine_map, directly, smooth_score, voter_of]


class Bird:
    def sing(self):
        return "tweet"


class Crow(Bird):
    pass


class Slim:
    __slots__ = ()


@Registry
def name_of_animal(model: Any) -> str:
    """Name of an animal."""
    return f"something that {name_of_animal.why_unknown(model)}"


@name_of_animal.register
def _(model: Bird) -> str:
    return "bird"


@name_of_animal.register(int)
@name_of_animal.register(float)
def _(model) -> str:
    return "number"


@name_of_animal.register_kind(lambda model: isinstance(model, (str, bool)))
def _(model) -> str:
    return "text or truth"


def test_functions_are_found_by_the_very_class():
    assert name_of_animal(Bird()) == "bird"
    assert name_of_animal(3) == name_of_animal(3.0) == "number"
    assert name_of_animal("a") == "text or truth"
    assert name_of_animal(True) == "text or truth"  # a subclass of int
    assert name_of_animal.register(Slim, lambda model: "slim")(None) == "slim"
    assert name_of_animal(Slim()) == "slim"


def test_the_reason_is_told():
    assert name_of_animal(Crow()) == "something that is a subclass, which may answer in another way"
    assert name_of_animal([]) == "something that is not among the classes that are registered"
    bird = Bird()
    bird.age = 3
    assert name_of_animal(bird) == "bird"
    bird.sing = bird.age
    assert name_of_animal(bird) == "something that has a sing of its own"


def test_a_registry_looks_like_its_function():
    assert name_of_animal.__doc__ == "Name of an animal."
    assert name_of_animal.__name__ == "name_of_animal"
    assert {Bird, int, float} <= set(name_of_animal.registry)


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.__name__)
def test_registries_are_sent_to_other_processes_by_name(registry):
    assert pickle.loads(pickle.dumps(registry)) is registry
    assert deepcopy(registry) is registry


def test_own_methods():
    model = LogisticRegression().fit(X, Y)
    assert own_methods(model) == own_methods(FrozenEstimator(model)) == own_methods(Slim()) == []
    model.predict_proba = model.predict
    assert own_methods(model) == ["predict_proba"]
    frozen = FrozenEstimator(model)  # its class has no predict: it passes calls on
    frozen.predict = model.predict
    assert own_methods(frozen) == ["predict"]


class Child(LogisticRegression):
    pass


@pytest.mark.parametrize("wrap", [lambda m: m, FrozenEstimator, make_pipeline, "scaled"])
def test_wrapped_models(wrap):
    """What is known of a model is known behind wrappers, and what is not is not."""
    if wrap == "scaled":
        scaler = StandardScaler().fit(X)
        wrap = lambda model: make_pipeline(FrozenEstimator(scaler), FrozenEstimator(model))  # noqa: E731
    known, child, replaced = (
        kind().fit(X, Y) for kind in (LogisticRegression, Child, LogisticRegression)
    )
    replaced.predict = lambda Z: np.zeros(len(Z), int)
    assert voter_of(wrap(known)) is not None
    assert smooth_score(wrap(known)).lipschitz(np.ones(1), 2) == 0
    assert voter_of(wrap(child)) is voter_of(wrap(replaced)) is None
    with pytest.raises(ValueError, match=r"Child is a subclass, .* so that its gradient is not kn"):
        smooth_score(wrap(child))
    with pytest.raises(ValueError, match=r"LogisticRegression has a predict of its own, so that"):
        smooth_score(wrap(replaced))
    assert directly(make_pipeline(known)).steps[-1][1] is known


def test_a_pipeline_with_a_method_of_its_own():
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
    assert voter_of(model) is not None
    model.predict = lambda Z: np.zeros(len(Z), int)
    assert voter_of(model) is None


def test_modules_of_an_optional_package_are_imported_where_a_model_of_it_is_met():
    import subprocess
    import sys

    pytest.importorskip("skorch")
    code = (
        "import sys, torch, skorch\n"
        "from sksmooth.voters import voter_of\n"
        "from sksmooth.voters._direct import directly\n"
        "net = skorch.NeuralNetClassifier(torch.nn.Identity)\n"
        "before = 'sksmooth.nets._skorch' in sys.modules\n"
        "assert voter_of(net) is None\n"
        "print(before, type(net) in voter_of.registry, type(net) in directly.registry)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "True", "True"]
