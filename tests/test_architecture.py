"""The house keeps its shape: rooms, layers, circles, what may be imported where, mirrored tests."""

import csv
import importlib
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
from source_tree import SourceTree

import sksmooth

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it

ROOT = Path(sksmooth.__file__).parent
TESTS = Path(__file__).parent
CHECKOUT = TESTS.parent

# Modules that name others in a text and import them where they are needed.
BY_NAME = {
    "sksmooth.base_models._registry": "what is known of a package that need not be installed",
}
SOURCE = SourceTree.of_folder(ROOT, by_name=BY_NAME)
HEAVY = {"torch", "skorch", "matplotlib", "pandas"}


def read_rooms():
    with (CHECKOUT / "docs" / "rooms.csv").open(newline="") as file:
        return [{k: v.replace("`", "") for k, v in row.items()} for row in csv.DictReader(file)]


ROOMS = read_rooms()
LAYERS = {room["room"].rstrip("/"): int(room["layer"]) for room in ROOMS}


def typed_paths(rooms):
    """What mypy checks, as the table has it."""
    for room in rooms:
        path = f"sksmooth/{room['room'].rstrip('/')}"
        if room["typed"] == "yes":
            yield path
        elif room["typed"] != "no":
            yield from (f"{path}/{module}.py" for module in room["typed"].split())


def test_the_table_lists_every_room():
    found = {f"{path.name}/" for path in ROOT.iterdir() if list(path.glob("*.py"))}
    found |= {path.name for path in ROOT.glob("*.py")}
    assert sorted(room["room"] for room in ROOMS) == sorted(found)


def test_the_table_goes_up_and_says_what_lives_in_a_room():
    layers = [int(room["layer"]) for room in ROOMS]
    assert layers == sorted(layers)
    assert sorted(set(layers)) == list(range(max(layers) + 1))
    assert all(room["what lives there"].endswith(".") for room in ROOMS)


def test_mypy_checks_what_the_table_calls_typed():
    configuration = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    files = configuration["tool"]["mypy"]["files"]
    assert sorted(typed_paths(ROOMS)) == sorted(files)
    assert all((CHECKOUT / file).exists() for file in files)
    control = [{"room": "a/", "typed": "_b _c"}, {"room": "d.py", "typed": "no"}]
    assert list(typed_paths(control)) == ["sksmooth/a/_b.py", "sksmooth/a/_c.py"]


def climbs(source, layers):
    """Imports that lead from a room to one that is not below it."""
    for folder, first, second, story in source.edges():
        if len(folder) == 1 and layers[second] >= layers[first]:
            yield story


def test_rooms_import_only_from_rooms_below():
    assert list(climbs(SOURCE, LAYERS)) == []


@pytest.mark.parametrize(
    "text",
    [
        "import house.attic",
        "from house import attic",
        "from house.attic import roof",
        "def late():\n    from house.attic._beams import beam",
        "HOME = 'house.attic._beams'",
        "from house import roof",
        "import house",
        "from house.hall import door",
    ],
)
def test_an_import_of_a_room_above_or_beside_is_seen(text):
    source = SourceTree(
        {
            "house/__init__.py": "from house.attic import roof",
            "house/attic/__init__.py": "",
            "house/attic/_beams.py": "",
            "house/cellar.py": text,
            "house/hall.py": "",
        }
    )
    layers = {"cellar.py": 0, "hall.py": 0, "attic": 1, "__init__.py": 2}
    assert len(list(climbs(source, layers))) == 1
    layers["cellar.py"] = 3
    assert [story for story in climbs(source, layers) if "cellar" in story] == []


def test_no_modules_or_folders_import_each_other():
    assert list(SOURCE.circles()) == []


@pytest.mark.parametrize(
    ("texts", "circle"),
    [
        ({"_a": "import h.r._b", "_b": "def f():\n    from h.r import _a"}, "h/r: _a.py, _b.py"),
        ({"__init__": "from h.r._a import x", "_a": "import h.r"}, "h/r: __init__.py, _a.py"),
        (
            {"s/_a": "import h.r._b", "_b": "from h.r.t._c import x", "t/_c": "import h.r.s._d"},
            "h/r: _b.py, s, t",
        ),
        ({"_a": "import h.r._b", "_b": "import h.r._c"}, None),
        ({"s/_a": "import h.r.t._c", "t/_c": "import h.r.s._d"}, "h/r: s, t"),
    ],
)
def test_circles_are_seen(texts, circle):
    empty = {"h/__init__.py": "", "h/r/_c.py": "", "h/r/s/_d.py": ""}
    source = SourceTree({**empty, **{f"h/r/{name}.py": text for name, text in texts.items()}})
    assert list(source.circles()) == ([] if circle is None else [circle])


# Room, what it does not import, and why.
FORBIDDEN = [
    ("certifiers", "sksmooth.estimators", "a certifier gets values"),
    ("certifiers", "sklearn", "a certifier gets values"),
    ("engine", "sksmooth.voters", "the engine knows the contract of voters only"),
    ("bounds", "sksmooth.inputs", "a bound knows no data"),
    ("bounds", "sksmooth.noise", "a bound knows no noise"),
    ("bounds", "sksmooth.distances", "a bound knows no outputs"),
]
ROOMS_OF_NETS = {"nets", "training", "attacks"}


def forbidden_imports(source, rules):
    for room, package, why in rules:
        for module, path in source.paths.items():
            own = f"{path.parts[0]}.{room}"
            for name in source.imported(module) if path.parts[1] == room else ():
                if _within(name, package) and not _within(name, own):
                    yield f"{module} imports {name}: {why}"


def _within(name, package):
    return f"{name}.".startswith(f"{package}.")


def importing(source, package):
    """Paths of files below the root of a tree that import anything of a package."""
    for module, path in source.paths.items():
        if any(_within(name, package) for name in source.imported(module)):
            yield "/".join(path.parts[1:])


def imports_of_nets(source):
    for package in ("skorch", "torch"):
        for path in importing(source, package):
            if path.partition("/")[0] not in ROOMS_OF_NETS:
                yield path


def test_rooms_do_not_import_what_they_need_not_know():
    assert list(forbidden_imports(SOURCE, FORBIDDEN)) == []
    assert list(imports_of_nets(SOURCE)) == []


def test_an_import_of_what_a_room_need_not_know_is_seen():
    source = SourceTree(
        {
            "sksmooth/certifiers/_a.py": "def f():\n    from sklearn.base import clone",
            "sksmooth/certifiers/_b.py": "from sksmooth import estimators",
            "sksmooth/certifiers/_c.py": "from sksmooth.certifiers._a import f",
            "sksmooth/bounds/_d.py": "import torch\nfrom sksmooth import bounds",
            "sksmooth/bounds/_e.py": "import sksmooth.noise",
            "sksmooth/bounds/__init__.py": "",
        }
    )
    seen = [story.partition(" ")[0] for story in forbidden_imports(source, FORBIDDEN)]
    assert sorted(name.rpartition(".")[2] for name in seen) == ["_a", "_b", "_e"]
    assert list(imports_of_nets(source)) == ["bounds/_d.py"]


def misplaced(paths):
    """Private modules at the top, and drawers for helpers."""
    at_top = {"__init__.py", "__main__.py", "_optional.py"}
    for path in paths:
        private = len(path.parts) == 2 and path.name.startswith("_") and path.name not in at_top
        if private or "util" in path.name or "helper" in path.name:
            yield path.as_posix()


def test_every_module_has_a_place():
    assert list(misplaced(SOURCE.paths.values())) == []
    control = ["p/_rows.py", "p/noise/_utils.py", "p/_optional.py", "p/noise/_base.py", "p/cli.py"]
    assert list(misplaced(map(PurePosixPath, control))) == control[:2]


# Tests of what several modules do together.
PROPERTIES = {
    "bounds/test_arguments.py": "what bounds refuse",
    "certificates/test_holm.py": "rows that are decided together",
    "certificates/test_records.py": "every certificate is a value",
    "certifiers/test_soundness.py": "certificates fail as seldom as they say",
    "certifiers/test_top_k.py": "certificates of the k classes with the most votes",
    "distances/test_distances.py": "every distance is what it states",
    "distances/test_exactness.py": "distances against rational arithmetic",
    "engine/test_memory.py": "memory does not grow with the number of draws",
    "estimators/test_all_classifiers.py": "every classifier of scikit-learn can be smoothed",
    "estimators/test_backends.py": "the same bits by every backend of joblib",
    "estimators/test_backends_dssn.py": "shifts by every backend of joblib",
    "estimators/test_center_float_range.py": "outputs as large or small as floats are",
    "estimators/test_center_on_mnist.py": "an autoencoder of real images, as in the paper",
    "estimators/test_feature_scale.py": "a scale for each column is a scaler outside",
    "estimators/test_floating_point.py": "no model reads the input off the last bits of a sum",
    "estimators/test_locally_biased_under_attack.py": "no attack breaks a certificate",
    "estimators/test_noise_families.py": "every family of noise by its name",
    "estimators/test_odd_inputs.py": "odd inputs are taken as numbers, or refused with a remedy",
    "estimators/test_path_on_mnist.py": "certified angles of real images, and their cost",
    "estimators/test_regressor_memory.py": "memory of smoothed regressors is bounded",
    "estimators/test_semantic_noise.py": "transformations by a random parameter, and attacks",
    "estimators/test_skorch.py": "nets are base models like any other",
    "estimators/test_useless_models.py": "models without use are told from perfect ones",
    "estimators/test_tables.py": "data frames with numbers and categories",
    "nets/test_backends.py": "votes and outputs of modules by every backend of joblib",
    "nets/test_optional_packages.py": "what works without skorch or torch, and what is said",
    "noise/test_contract.py": "what every family of noise has to do",
    "noise/test_findings.py": "what the guide says of the families",
    "noise/test_golden.py": "radii to many digits",
    "noise/test_laws.py": "draws have the law that radii assume",
    "noise/test_mixed.py": "the mixed family by quadrature",
    "smooth_scores/test_contract.py": "what every smooth score has to do",
    "test_architecture.py": "the house keeps its shape",
    "test_common.py": "the checks of scikit-learn",
    "test_docs.py": "the documentation lists what is exported",
    "test_private_names.py": "no module uses underscore names of another",
    "test_published_figures.py": "radii that the authors of published runs print",
    "test_readme.py": "the examples of the README run",
    "test_way_of_rows.py": "X goes down through the rooms",
}


def without_counterpart(tests, modules):
    """Test files, such as `noise/test_base.py`, for which there is no module or folder."""
    places = {folder for module in modules for folder in (module, *module.parents)}
    places = {place.with_name(place.stem.removeprefix("_")) for place in places if place.name}
    for test in tests:
        if test.with_name(test.stem.removeprefix("test_")) not in places:
            yield test.as_posix()


def test_tests_mirror_the_package():
    tests = [PurePosixPath(path.relative_to(TESTS)) for path in TESTS.rglob("test_*.py")]
    modules = [path.relative_to("sksmooth") for path in SOURCE.paths.values()]
    assert sorted(without_counterpart(tests, modules)) == sorted(PROPERTIES)


def test_a_test_without_a_module_is_seen():
    modules = [PurePosixPath("noise/_base.py"), PurePosixPath("noise/_radii/_table.py")]
    tests = ["noise/test_base.py", "noise/test_radii.py", "noise/test_table.py", "test_base.py"]
    assert list(without_counterpart(map(PurePosixPath, tests), modules)) == tests[2:]


def test_tests_import_nothing_that_is_not_shipped():
    tests = SourceTree.of_folder(TESTS)
    assert list(importing(tests, "benchmarks")) == []
    assert "noise/test_contract.py" in importing(tests, "sksmooth")


def in_fresh_process(code):
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.strip()


LIGHT = ("metrics", "noise", "plotting", "cli", "training", "nets", "attacks")
IMPORT_ALL = ", ".join(["import sksmooth", *(f"sksmooth.{room}" for room in LIGHT)])


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


@pytest.mark.parametrize("name", sorted(SOURCE.trees.keys() - {"sksmooth.__main__"}))
def test_exports_exist_are_sorted_and_documented(name):
    module = importlib.import_module(name)
    exports = list(getattr(module, "__all__", ()))
    assert exports == sorted(exports)
    for export in exports:
        assert getattr(module, export).__doc__, f"{name}.{export} has no docstring"
