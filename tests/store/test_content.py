"""Fingerprints of models: the same for the same model, in any process."""

import pickle
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from stored_runs import ROWS, X, fitted, y

from sksmooth.exceptions import StoreError
from sksmooth.store._content import content_fingerprint

MODELS = {
    "boosting": HistGradientBoostingClassifier(max_iter=3, random_state=0),
    "forest": RandomForestClassifier(3, random_state=0),
    "neighbors": KNeighborsClassifier(),
    "network": make_pipeline(StandardScaler(), MLPClassifier((4,), max_iter=20, tol=1)),
    "support vectors": SVC(),
}


def fingerprint(model):
    return content_fingerprint({"model": model}, name="a model")


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_known_again_after_it_was_used_or_written(name):
    model = MODELS[name].fit(X, y)
    before = fingerprint(model)
    model.predict(ROWS)
    assert fingerprint(model) == before
    assert fingerprint(pickle.loads(pickle.dumps(model))) == before
    assert fingerprint(MODELS[name].fit(X[::-1] * 1.5, y[::-1])) != before


def test_a_net_is_known_again():
    torch = pytest.importorskip("torch")
    net = torch.nn.Linear(3, 2)
    before = fingerprint(net)
    assert fingerprint(pickle.loads(pickle.dumps(net))) == before
    with torch.no_grad():
        net.weight[0, 0] += 1e-3
    assert fingerprint(net) != before


def test_a_model_is_known_again_in_another_process():
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "from stored_runs import fitted\nprint(fitted()._model_fingerprint())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == fitted()._model_fingerprint()


def test_written_models_are_the_same_in_every_process(tmp_path):
    path = tmp_path / "models.joblib"
    joblib.dump({name: model.fit(X, y) for name, model in MODELS.items()}, path)
    code = (
        "import joblib\nfrom sksmooth.store._content import content_fingerprint\n"
        f"print({{n: content_fingerprint({{'model': m}}, name=n) for n, m in "
        f"joblib.load({str(path)!r}).items()}})"
    )
    command = [sys.executable, "-c", code]
    found = {
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    }
    assert found == {str({n: fingerprint(m) for n, m in joblib.load(path).items()})}


def test_what_is_between_the_fields_of_records_is_nothing():
    kind = np.dtype({"names": ["a", "b"], "formats": ["u1", "f8"], "offsets": [0, 8]})
    records = np.zeros(3, kind)
    before = fingerprint(records)
    records.view("u1").reshape(3, 16)[:, 3] = 7
    assert fingerprint(records) == before
    records["a"][1] = 1
    assert fingerprint(records) != before


def test_generators_move_on():
    generators = [np.random.RandomState(0), np.random.default_rng(0)]
    before = fingerprint(generators)
    for generator in generators:
        generator.uniform()
    assert fingerprint(generators) == before


def test_one_bit_makes_another_model():
    weights = np.arange(4.0)
    before = fingerprint([weights])
    weights[3] = np.nextafter(3.0, 4)
    assert fingerprint([weights]) != before


def test_what_cannot_be_pickled_is_refused():
    with pytest.raises(StoreError, match="a model cannot be told from other models"):
        fingerprint(lambda: 0)
