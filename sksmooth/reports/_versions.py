"""What a report of a fault needs: versions, platform, numerical libraries."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from threadpoolctl import threadpool_info

_CORE = ("sksmooth", "numpy", "scipy", "scikit-learn", "joblib", "tqdm", "threadpoolctl")
_EXTRAS = ("torch", "skorch", "pandas", "polars", "matplotlib", "skops", "pyarrow", "distributed")


def show_versions() -> None:
    """Print the versions of Python, of this package and of what it uses, and the platform.

    Put it into a report of a fault.

    Examples
    --------
    >>> import sksmooth
    >>> sksmooth.show_versions()  # doctest: +ELLIPSIS
    System
      python: ...
    """
    print("System")
    _show({"python": sys.version.replace("\n", " "), "platform": platform.platform()})
    print("\nPackages")
    _show({name: version_of(name) for name in _CORE + _EXTRAS})
    print("\nNumerical libraries")
    for library in threadpool_info():
        described = (library["internal_api"], library.get("version"), library.get("architecture"))
        print(f"  {', '.join(filter(None, described))}: {library['num_threads']} threads")


def _show(entries: dict[str, str]) -> None:
    for name, value in entries.items():
        print(f"  {name}: {value}")


def version_of(package: str) -> str:
    """Return the version of an installed package, in words where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
