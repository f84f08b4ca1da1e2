"""What is known of the models of a class, for that very class and no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import singledispatch, update_wrapper
from importlib import import_module
from typing import Any, Generic, TypeVar

Known = TypeVar("Known")

# Packages that need not be installed: what registers their classes is imported where one is met.
_MODULES_FOR = {"skorch": ("sksmooth.nets._skorch", "sksmooth.nets._direct")}

_ANSWERS = {"predict", "predict_proba", "decision_function", "transform"}


class Registry(Generic[Known]):
    """A function of a model, made of one function for each class of models.

    Functions are registered as with :func:`functools.singledispatch`, but for a class itself: a
    subclass may answer in another way, and so may an object with a method of its own.

    Parameters
    ----------
    unknown : callable
        Called with a model of which nothing is known. The registry has its name and docstring.
    """

    def __init__(self, unknown: Callable[[Any], Known]) -> None:
        self._functions = singledispatch(unknown)
        self._name = unknown.__qualname__
        self._kinds: list[tuple[Callable[[Any], bool], Callable[[Any], Known]]] = []
        update_wrapper(self, unknown)

    def __call__(self, model: Any) -> Known:
        """Return what is known of a model."""
        for name in _MODULES_FOR.get(type(model).__module__.partition(".")[0], ()):
            import_module(name)
        if type(model) in self.registry and not own_methods(model):
            return self.registry[type(model)](model)
        unknown = self.registry[object]
        return next((read for is_one, read in self._kinds if is_one(model)), unknown)(model)

    @property
    def registry(self) -> Mapping[type, Callable[[Any], Known]]:
        """Functions by class; that of `object` is for models of which nothing is known."""
        return self._functions.registry

    def register(self, kind: Any, function: Callable[[Any], Known] | None = None) -> Any:
        """Register a function for a class.

        Parameters
        ----------
        kind : type or callable
            The class; or the function, whose annotation names the class of its argument.
        function : callable, default=None
            Called with a model of the class. None: the result is a decorator.
        """
        return self._functions.register(kind, function)

    def register_kind(self, is_one: Callable[[Any], bool]) -> Callable[..., Any]:
        """Register a function for models that no class tells, as all modules of torch are.

        Parameters
        ----------
        is_one : callable
            Whether the function is to be called with a model, whose class is not registered.
        """

        def decorate(function: Callable[..., Known]) -> Callable[..., Known]:
            self._kinds.append((is_one, function))
            return function

        return decorate

    def why_unknown(self, model: Any) -> str:
        """Say why nothing is known of a model, in words that follow its name."""
        if own := own_methods(model):
            return f"has a {min(own)} of its own"
        if any(kind in self.registry for kind in type(model).__mro__[1:-1]):
            return "is a subclass, which may answer in another way"
        return "is not among the classes that are registered"

    def __reduce__(self) -> str:
        """Be found by name in other processes."""
        return self._name


def own_methods(model: Any) -> list[str]:
    """Names of the methods that an object has beside or instead of those of its class."""
    held = getattr(model, "__dict__", {})
    return [name for name in held if name in _ANSWERS or callable(getattr(type(model), name, None))]
