"""What a run is of, and how another one differs."""

from __future__ import annotations

import platform
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sksmooth.exceptions import OtherRunError

_PACKAGES = ("sksmooth", "numpy", "scipy", "scikit-learn", "joblib", "torch")


def environment() -> dict[str, str]:
    """Return versions and platform, as far as results may depend on them."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in _PACKAGES:
        if package == "torch" and "torch" not in sys.modules:
            continue
        found[package] = _version(package)
    return found


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # run from a folder
        return "unknown"


def refuse_other_run(name: str, there: dict[str, Any], here: dict[str, Any]) -> None:
    """Refuse to go on with a run that differs in anything but its progress.

    Parameters
    ----------
    name : str
        What messages call the store.
    there, here : dict
        Descriptions: of the run in the store, and of what was asked for.

    Raises
    ------
    OtherRunError
        It names what differs first.
    """
    found = next(_differences(there, here), None)
    if found is not None:
        raise OtherRunError(
            f"{name} holds another run: {found}. Go on with what it was begun with, or choose "
            "another file."
        )


def _differences(there: dict[str, Any], here: dict[str, Any]) -> Any:
    for key in ("estimator",):
        if there[key] != here[key]:
            yield f"the estimator is {there[key]} there and {here[key]} here"
    for group in ("parameters", "options"):
        names = sorted({*there[group], *here[group]})
        for name in names:
            old, new = there[group].get(name), here[group].get(name)
            if old != new:
                yield f"{name} is {old} there and {new} here"
    yield from _different_data(there["data"], here["data"])
    if there["labels"] != here["labels"]:
        yield "the labels differ"
    if there["model"] != here["model"]:
        yield (
            f"the fitted model is another one (fingerprint {there['model'][:12]} there and "
            f"{here['model'][:12]} here)"
        )


def _different_data(there: dict[str, Any], here: dict[str, Any]) -> Any:
    names = {"n_rows": "number of rows", "shape": "shape of a row", "dtype": "type of numbers"}
    for key, words in names.items():
        if there[key] != here[key]:
            yield f"the data differ, in the {words}: {there[key]} there and {here[key]} here"
    if there["fingerprint"] != here["fingerprint"]:
        yield "the data differ, in the numbers of some row"
