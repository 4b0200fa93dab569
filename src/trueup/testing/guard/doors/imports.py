"""Doors are built into a library when it is imported: a run that never loads a driver must not wait for one."""

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from trueup.testing.guard.doors.changes import Changes
from trueup.testing.guard.doors.processes import guard_processes
from trueup.testing.guard.doors.threads import guard_threads
from trueup.testing.guard.gate import Gate

LIBRARIES = {
    "psycopg": "trueup.testing.guard.doors.driver",
    "psycopg_pool": "trueup.testing.guard.doors.pools",
    "trueup.db.supply": "trueup.testing.guard.doors.runtime",
    "trueup.servers.embedded": "trueup.testing.guard.doors.servers",
    "trueup.tables.execution": "trueup.testing.guard.doors.statements",
    "concurrent.futures.thread": "trueup.testing.guard.doors.threads",
    "concurrent.futures.process": "trueup.testing.guard.doors.threads",
    "multiprocessing.process": "trueup.testing.guard.doors.processes",
    "asyncpg": "trueup.testing.guard.doors.asyncpg_driver",
    "psycopg2": "trueup.testing.guard.doors.psycopg2_driver",
    "pg8000": "trueup.testing.guard.doors.pg8000_driver",
}
"""Which module of ours leads a library through the gate, by its function `guard`."""


class Doors(MetaPathFinder):
    """Leads libraries through a gate, those that are loaded already and those to come."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.changes = Changes()

    def install(self) -> None:
        """Begin."""
        guard_threads(self.gate, self.changes)
        guard_processes(self.gate, self.changes)
        sys.meta_path.insert(0, self)
        for library in LIBRARIES:
            if library in sys.modules:
                self.guard(library)

    def remove(self) -> None:
        """Leave everything as it was found."""
        sys.meta_path.remove(self)
        self.changes.undo()

    def guard(self, library: str) -> None:
        """Build the doors into a library that is loaded."""
        importlib.import_module(LIBRARIES[library]).guard(self.gate, self.changes)

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return what the other finders return, with a loader that builds the doors in."""
        if name not in LIBRARIES:
            return None
        others = (finder.find_spec(name, path, target) for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, others), None)
        if spec is not None and spec.loader is not None:
            spec.loader = GuardingLoader(spec.loader, self)
        return spec


class GuardingLoader(Loader):
    """Loads a module as another loader does, then builds the doors in."""

    def __init__(self, loader: Loader, doors: Doors) -> None:
        self.loader = loader
        self.doors = doors

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Do what the other does."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Do what the other does, and be forgotten: the module knows only its own loader."""
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self.loader
        self.loader.exec_module(module)
        self.doors.guard(module.__name__)
