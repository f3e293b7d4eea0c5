"""Modules that a client imports for parts of it that a test does not use."""
import importlib
import sys
import types


class Module(types.ModuleType):
    """Has whatever is asked of it: an empty class."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        found = type(name, (), {})
        setattr(self, name, found)
        return found


def module(name, **members):
    """Puts a module there, whatever is installed, and the packages that it lies in if they are not there."""
    found = Module(name)
    found.__dict__.update(members, __path__=[])
    sys.modules[name] = found
    parent, _, last = name.rpartition(".")
    if parent:
        if parent not in sys.modules:
            module(parent)
        setattr(sys.modules[parent], last, found)
    return found


def where_absent(*names):
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            module(name)
