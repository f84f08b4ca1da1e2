"""Command line: ``python -m sksmooth``."""

from sksmooth.cli._main import main

__all__ = ["main"]
