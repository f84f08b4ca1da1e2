"""Versions are those of what is installed."""

from importlib.metadata import PackageNotFoundError, version

import numpy
import pytest

import sksmooth
from sksmooth.cli import main


def test_versions_are_those_of_the_packages(capsys):
    sksmooth.show_versions()
    said = capsys.readouterr().out
    assert f"  numpy: {numpy.__version__}\n" in said
    assert f"  sksmooth: {version('sksmooth')}\n" in said
    assert "threads" in said.partition("Numerical libraries")[2]


def test_what_is_missing_is_said(capsys, monkeypatch):
    def without_torch(package):
        if package == "torch":
            raise PackageNotFoundError(package)
        return "1.0"

    monkeypatch.setattr("sksmooth.reports._versions.version", without_torch)
    sksmooth.show_versions()
    assert "  torch: not installed\n" in capsys.readouterr().out


def test_version_of_the_command(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"sksmooth {sksmooth.__version__}\n"
