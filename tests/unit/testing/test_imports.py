"""Imports that a run waits for: nothing stays changed for what comes after them."""

import gc
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from trueup.testing.imports import quick_imports


@pytest.mark.parametrize("is_enabled", [True, False])
def test_garbage_is_looked_for_as_before_afterwards(is_enabled: bool) -> None:
    was_enabled = gc.isenabled()
    (gc.enable if is_enabled else gc.disable)()

    try:
        with quick_imports():
            during = gc.isenabled()

        assert (during, gc.isenabled()) == (False, is_enabled)
    finally:
        (gc.enable if was_enabled else gc.disable)()


@pytest.mark.parametrize("is_frozen", [False, True])
def test_what_was_imported_is_garbage_later_and_not_looked_through_at_once(is_frozen: bool) -> None:
    script = f"""if True:
        import gc, weakref
        from trueup.testing.imports import quick_imports
        class Thing: pass
        if {is_frozen}:
            gc.freeze()
        frozen = gc.get_freeze_count()
        searches = []
        with quick_imports():
            things = [[Thing()] for _ in range(10_000)]
            gc.callbacks.append(lambda phase, info: searches.append(info["generation"]))
        new = [[] for _ in range(100)]
        print(len(searches))
        for thing in things:
            thing.append(thing)
        seen = weakref.ref(things[0][0])
        known = sum(isinstance(each, Thing) for each in gc.get_objects())
        del things, thing
        gc.collect()
        print(known, seen(), gc.get_freeze_count() == frozen)
    """

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    searched, rest = done.stdout.splitlines()
    assert rest == "10000 None True"
    assert is_frozen or searched == "0"


class Asked:
    """Is a finder that finds nothing and remembers what it was asked for."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        self.names.append(name)


class Rewriting(Asked):
    """Stands where pytest's own finder does."""

    __module__ = "_pytest.assertion.rewrite"


def test_pytest_is_not_asked_what_it_would_rewrite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("imported_plainly", "imported_afterwards"):
        (tmp_path / f"{name}.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    others, rewriting = Asked(), Rewriting()
    monkeypatch.setattr(sys, "meta_path", [others, rewriting, *sys.meta_path])
    before = list(sys.meta_path)

    with quick_imports():
        import_module("imported_plainly")
    import_module("imported_afterwards")

    assert rewriting.names == ["imported_afterwards"]
    assert others.names == ["imported_plainly", "imported_afterwards"]
    assert sys.meta_path == before


def test_what_is_not_on_the_path_is_looked_for_as_ever() -> None:
    with quick_imports(), pytest.raises(ModuleNotFoundError, match="no_such_module"):
        import_module("no_such_module")
