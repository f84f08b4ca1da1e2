"""Optional dependencies: imported where they are used, with the remedy when they are missing."""

from __future__ import annotations

import importlib
from typing import Any


def import_extra(module: str, *, extra: str, user: str) -> Any:
    """Import an optional module.

    Parameters
    ----------
    module : str
        Name of the module.
    extra : str
        Extra of this package that installs it.
    user : str
        What needs it, as the user called it.

    Returns
    -------
    module : module

    Raises
    ------
    ImportError
        If it is not installed, with the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ImportError(
            f"{user} needs {package}, which is not installed. "
            f'Install it with: python -m pip install "sksmooth[{extra}]"'
        ) from error
