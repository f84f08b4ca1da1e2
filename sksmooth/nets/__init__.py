"""Networks of torch as base models: how they are asked, on which device, in which precision.

Besides `training` and `attacks` the only room that imports torch, where it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from sksmooth._optional import import_extra

_HOMES = {
    "ModuleClassifier": "sksmooth.nets._module_classifier",
    "ModuleRegressor": "sksmooth.nets._module_regressor",
    "TorchExecution": "sksmooth.nets._execution",
    "as_classifier": "sksmooth.nets._module_classifier",
    "as_regressor": "sksmooth.nets._module_regressor",
}

__all__ = ["ModuleClassifier", "ModuleRegressor", "TorchExecution", "as_classifier", "as_regressor"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import_extra("torch", extra="torch", user=f"sksmooth.nets.{name}")
    return getattr(import_module(_HOMES[name]), name)
