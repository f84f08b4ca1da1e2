"""The documentation names what the package exports, and includes only tables that exist."""

import importlib
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PUBLIC = [
    "sksmooth",
    "sksmooth.attacks",
    "sksmooth.bounds",
    "sksmooth.distances",
    "sksmooth.exceptions",
    "sksmooth.limits",
    "sksmooth.nets",
    "sksmooth.noise",
    "sksmooth.plotting",
    "sksmooth.reports",
    "sksmooth.smooth_scores",
    "sksmooth.store",
    "sksmooth.transformations",
    "sksmooth.voters",
    "sksmooth.training",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_api_reference_lists_every_export(name):
    page = (DOCS / "api.rst").read_text()
    sections = re.split(r"\.\. currentmodule:: ", page)[1:]
    listed = next(section for section in sections if section.split()[0] == name)
    entries = re.findall(r"^   (\w+)$", listed, re.MULTILINE)
    assert sorted(entries) == sorted(importlib.import_module(name).__all__)


def test_included_tables_exist():
    for page in DOCS.rglob("*.rst"):
        for target in re.findall(r"^\.\. include:: (.*)$", page.read_text(), re.MULTILINE):
            assert (page.parent / target).is_file(), f"{page} includes {target}"
