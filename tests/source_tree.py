"""The source of a package as syntax trees: which module imports which."""

import ast
from pathlib import PurePosixPath

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


class SourceTree:
    """The modules of a package.

    `trees` and `paths` have the syntax tree and the path of every module, by its full name. The
    modules `by_name` may name others in a text that they import later; elsewhere such a text is
    an import.
    """

    def __init__(self, texts, by_name=()):
        self.trees, self.paths, self.by_name = {}, {}, by_name
        for path, text in texts.items():
            path = PurePosixPath(path)
            module = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
            self.trees[module], self.paths[module] = ast.parse(text), path

    @classmethod
    def of_folder(cls, root, by_name=()):
        files = {path.relative_to(root.parent): path for path in sorted(root.rglob("*.py"))}
        return cls({name.as_posix(): path.read_text() for name, path in files.items()}, by_name)

    def imported(self, module):
        """Full names of what a module imports, anywhere in it."""
        for node in ast.walk(self.trees[module]):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{module} has a relative import"
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            elif isinstance(node, ast.Constant) and node.value in self.trees:
                if "." in node.value and module not in self.by_name:
                    yield node.value

    def split(self, full_name):
        """Split into the module of this package, "" for another package, and the name in it."""
        parts = full_name.split(".")
        for end in range(len(parts), 0, -1):
            if ".".join(parts[:end]) in self.trees:
                return ".".join(parts[:end]), ".".join(parts[end:])
        return "", full_name

    def imports(self, module):
        """Modules of this package that a module imports."""
        return {self.split(name)[0] for name in self.imported(module)} - {"", module}

    def edges(self):
        """Imports, as seen in the one folder where the two modules part.

        For each: the folder, which file or folder in it imports which other, and the whole story.
        """
        for module, path in self.paths.items():
            for other in sorted(self.imports(module)):
                pairs = enumerate(zip(path.parts, self.paths[other].parts))
                depth, (first, second) = next((i, pair) for i, pair in pairs if len(set(pair)) > 1)
                yield path.parts[:depth], first, second, f"{module} imports {other}"

    def circles(self):
        """Files and folders of one folder that import each other in a circle."""
        by_folder = {}
        for folder, first, second, _ in self.edges():
            by_folder.setdefault(folder, []).append((first, second))
        for folder, pairs in by_folder.items():
            names, ends = np.unique(pairs, return_inverse=True)
            first, second = ends.reshape(-1, 2).T
            shape = len(names), len(names)
            graph = coo_array((np.ones(len(first)), (first, second)), shape)
            _, circle = connected_components(graph, connection="strong")
            for number in np.flatnonzero(np.bincount(circle) > 1):
                yield f"{'/'.join(folder)}: {', '.join(names[circle == number])}"
