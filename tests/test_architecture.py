"""The house keeps its shape: layers, exports, light imports."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from case_names import name_of_case

import sksmooth

ROOT = Path(sksmooth.__file__).parent
LAYERS = [
    {"_optional", "bounds", "distances", "exceptions", "inputs", "noise"},
    {"base_models", "limits"},
    {"engine", "certificates"},
    {"voters", "smooth_scores"},
    {"nets"},
    {"certifiers"},
    {"estimators"},
    {"attacks", "metrics"},
    {"training"},
    {"plotting"},
    {"cli"},
    {"__init__", "__main__"},
]
LAYER_OF = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
HEAVY = {"torch", "skorch", "matplotlib", "pandas"}
MODULES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))


def room_of(path):
    return path.parts[0].removesuffix(".py")


def imports(path):
    """Names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield node.module


@pytest.mark.parametrize("path", MODULES, ids=name_of_case)
def test_a_room_imports_only_from_rooms_below(path):
    room = room_of(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "sksmooth" and len(parts) > 1 and parts[1] != room:
            assert LAYER_OF[parts[1]] < LAYER_OF[room], f"{path} imports {name}"


def test_every_room_has_a_layer():
    assert {room_of(path) for path in MODULES} == set(LAYER_OF)


def test_there_is_no_drawer_for_helpers():
    assert not [path for path in MODULES if "util" in path.name or "helper" in path.name]


def in_fresh_process(code):
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.strip()


ROOMS = ("metrics", "noise", "plotting", "cli", "training")
IMPORT_ALL = ", ".join(["import sksmooth", *(f"sksmooth.{room}" for room in ROOMS)])


def test_import_is_light():
    """scikit-learn imports pandas where it finds it; sksmooth itself imports nothing heavy."""
    seen = f"print(sorted({HEAVY!r} & set(sys.modules) - before))"
    assert (
        in_fresh_process(
            f"import sys, sklearn.base; before = set(sys.modules)\n{IMPORT_ALL}\n{seen}"
        )
        == "[]"
    )
    control = "import matplotlib"
    assert (
        in_fresh_process(f"import sys, sklearn.base; before = set(sys.modules)\n{control}\n{seen}")
        == "['matplotlib']"
    )


def test_import_works_where_nothing_optional_is_installed():
    block = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {HEAVY!r}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent())"
    )
    assert in_fresh_process(f"{block}\n{IMPORT_ALL}\nprint('fine')") == "fine"


PACKAGES = [
    "sksmooth",
    "sksmooth.attacks",
    "sksmooth.estimators",
    "sksmooth.limits",
    "sksmooth.nets",
    "sksmooth.noise",
    "sksmooth.smooth_scores",
    "sksmooth.voters",
    "sksmooth.training",
]


OF_NETS = ("_answers", "_attack", "_methods", "_net", "_search", "_tensor_noise")
NEED_TORCH = {f"sksmooth.training.{name}" for name in OF_NETS}
NEED_TORCH |= {"sksmooth.nets._module_classifier", "sksmooth.training"}


@pytest.mark.parametrize("name", PACKAGES)
def test_exports_are_sorted_and_documented(name):
    module = importlib.import_module(name)
    assert list(module.__all__) == sorted(module.__all__)
    for export in module.__all__:
        assert getattr(module, export).__doc__


def test_what_modules_export_exists():
    for info in pkgutil.walk_packages([str(ROOT)], "sksmooth."):
        needs_torch = "._torch" in info.name or info.name in NEED_TORCH
        if info.name != "sksmooth.__main__" and not (needs_torch and find_spec("skorch") is None):
            module = importlib.import_module(info.name)
            for export in getattr(module, "__all__", ()):
                assert hasattr(module, export), f"{info.name} exports {export}"
