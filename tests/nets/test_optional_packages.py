"""What works without skorch, and what is said where torch is not installed."""

import subprocess
import sys

import pytest

BLOCK = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""


def run_without(absent, code):
    """Return what code prints in a process in which some packages cannot be imported."""
    command = [sys.executable, "-W", "error", "-c", BLOCK.format(absent=absent) + code]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.split("\n")[:-1]


MODULES_ALONE = """
import numpy as np, torch
from sksmooth import MedianSmoothedRegressor, SmoothedClassifier
from sksmooth.attacks import attack_smoothed
from sksmooth.nets import TorchExecution, as_classifier, as_regressor
from sksmooth.training import Denoiser
from sklearn.pipeline import make_pipeline

torch.manual_seed(0)
X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
y = (X[:, 0] > 0).astype(int)
module = torch.nn.Linear(3, 2)
with torch.no_grad():
    module.weight.copy_(torch.tensor([[-1.0, 0, 0], [1.0, 0, 0]]))
model = as_classifier(module.eval(), classes=[0, 1])
clf = SmoothedClassifier(model, n_estimation=100, random_state=0).fit(X, y)
print(len(clf.certify(X)), attack_smoothed(clf, X, y, radius=0.1).shape)
behind = make_pipeline(Denoiser(torch.nn.Identity()), model)
print(SmoothedClassifier(behind, n_estimation=100).fit(X, y).predict(X).shape)
reg = MedianSmoothedRegressor(as_regressor(module), n_estimation=200).fit(X)
print(len(reg.certify(X[:3], radius=0.1)))
print("skorch" in sys.modules)
"""


def test_modules_need_no_skorch():
    assert run_without({"skorch"}, MODULES_ALONE) == ["40 (40, 3)", "(40,)", "3", "False"]


@pytest.mark.parametrize(
    ("absent", "room", "name", "missing"),
    [
        ("torch", "nets", "as_classifier", "torch"),
        ("torch", "nets", "as_regressor", "torch"),
        ("torch", "nets", "TorchExecution", "torch"),
        ("torch", "attacks", "attack_smoothed", "torch"),
        ("torch", "training", "RobustNetClassifier", "torch"),
        ("skorch", "training", "RobustNetClassifier", "skorch"),
    ],
)
def test_what_is_missing_is_said_with_the_command_that_installs_it(absent, room, name, missing):
    code = f"""
try:
    from sksmooth.{room} import {name}
except ImportError as error:
    print(error)
"""
    (message,) = run_without({absent}, code)
    assert message == (
        f"sksmooth.{room}.{name} needs {missing}, which is not installed. Install it with: "
        'python -m pip install "sksmooth[torch]"'
    )


def test_what_needs_no_torch_works_without():
    code = """
import numpy as np
from sksmooth.attacks import project, projected_gradient, towards_points
from sksmooth.training import Denoiser
X = np.arange(12.0).reshape(6, 2)
print(Denoiser().fit(X).transform(X).shape, project(X, 1.0, 2).shape)
"""
    assert run_without({"torch", "skorch"}, code) == ["(6, 2) (6, 2)"]
