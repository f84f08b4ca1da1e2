"""Underscore names that a module uses and that neither it nor its base classes define."""

import ast

COPIES = {"copy", "deepcopy", "replace"}  # what these make of `self` is of its class
ATTRIBUTE_FUNCTIONS = {"delattr", "getattr", "hasattr", "setattr"}
OF_NAMED_TUPLES = {"_asdict", "_fields", "_make", "_replace"}  # public, in spite of their names


def is_private(name):
    return name.startswith("_") and not name.endswith("__") and name not in OF_NAMED_TUPLES


def private_imports(source, module):
    """Full names of private things that a module imports, other than modules of its package."""
    for full_name in source.imported(module):
        _, name = source.split(full_name)
        if any(is_private(part) for part in name.split(".")):
            yield full_name


def private_attributes(source, module):
    """Attributes of objects of others that a module uses: (name, text)."""
    tree = source.trees[module]
    own = _names_of_block(tree.body)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            own |= _names_of_class(node)
    yield from _foreign(tree, own, lambda owner: _inherited(source, module, owner))


def _foreign(node, own, inherited, owner=None, selves=frozenset({"self", "cls"})):
    """Uses below a node, inside of the class `owner`, where `selves` are its objects."""
    for child in ast.iter_child_nodes(node):
        used = _used(child)
        if used is not None and is_private(used[1]) and used[1] not in own:
            mine = owner is not None and ast.unparse(used[0]) in {*selves, "super()", "type(self)"}
            if not (mine and used[1] in inherited(owner)):
                yield used[1], ast.unparse(child)
        inner = child if isinstance(child, ast.ClassDef) else owner
        named = selves | _copies(child) if isinstance(child, ast.FunctionDef) else selves
        yield from _foreign(child, own, inherited, inner, named)


def _used(node):
    """Object and attribute that an expression uses, or None."""
    if isinstance(node, ast.Attribute):
        return node.value, node.attr
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ATTRIBUTE_FUNCTIONS:
        name = node.args[1]
        return (node.args[0], name.value) if isinstance(name, ast.Constant) else None
    return None


def _copies(function):
    """Names of copies of `self` in a function."""
    return {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if ast.unparse(node.value.func) in COPIES and ast.unparse(node.value.args[0]) == "self"
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _names_of_block(body):
    """Names that the statements of a module or class define."""
    names = set()
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            names |= {part.id for part in ast.walk(node) if _is_set(part, ast.Name)}
    return names


def _names_of_class(definition):
    """Names that a class defines, in its body or on `self`."""
    on_self = {
        node.attr
        for node in ast.walk(definition)
        if _is_set(node, ast.Attribute) and ast.unparse(node.value) in ("self", "cls")
    }
    return _names_of_block(definition.body) | on_self


def _is_set(node, kind):
    return isinstance(node, kind) and isinstance(node.ctx, ast.Store)


def _inherited(source, module, definition):
    """Names that the base classes in the package define."""
    names = set()
    for base in definition.bases:
        found = _find_class(source, module, ast.unparse(base).partition("[")[0])
        if found is not None:
            names |= _names_of_class(found[1]) | _inherited(source, *found)
    return names


def _find_class(source, module, name):
    """Module and definition of a class that goes by a name in a module."""
    for node in source.trees[module].body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return module, node
    for full_name in source.imported(module):
        other, rest = source.split(full_name)
        if rest == name and other not in ("", module):
            return _find_class(source, other, name)
    return None
