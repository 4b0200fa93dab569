"""What is done to each row that differs, and what undoes it. Does no I/O."""

from collections.abc import Iterable
from dataclasses import replace

from trueup.parity.data.model import Key
from trueup.parity.data.repair.model import Change, Image, Written


def change(
    written: Written, key: Key, *, source: Image | None, target: Image | None, columns: Iterable[str] | None = None
) -> Change | str | None:
    """Return what makes a row of the target like the source's; why nothing can; None where nothing has to.

    `columns` are those that differ; None: those whose text does.
    """
    whole = tuple(written.table.columns)
    if source is None and target is None:
        return None
    if source is None:
        assert target
        return Change(
            kind="delete", written=written, key=key, values={}, held=target.values, guarded=whole, digest=target.digest
        )
    writable = {name: value for name, value in source.values.items() if not written.table.columns[name].generated}
    if target is None:
        return Change(kind="insert", written=written, key=key, values=writable, held={})
    wanted = set(columns or (name for name, value in writable.items() if target.values[name] != value))
    values = {name: value for name, value in writable.items() if name in wanted}
    if not values:
        return "only generated columns differ, whose values no statement sets" if wanted else None
    if fixed := [name for name in values if written.table.columns[name].identity == "always"]:
        return f"{', '.join(fixed)} is generated always as identity, which no update sets"
    return Change(
        kind="update",
        written=written,
        key=key,
        values=values,
        held=target.values,
        guarded=whole,
        digest=target.digest,
    )


def undone(done: Change, digest: str) -> Change:
    """Return what undoes a change, if what was written, with that digest, is still there."""
    columns = done.written.table.columns
    if done.kind == "insert":
        return replace(done, kind="delete", values={}, held=done.values, guarded=tuple(done.values), digest=digest)
    if done.kind == "delete":
        values = {name: value for name, value in done.held.items() if not columns[name].generated}
        return replace(done, kind="insert", values=values, held={}, guarded=(), digest="")
    values = {name: done.held[name] for name in done.values}
    held = {**done.held, **done.values}
    return replace(done, values=values, held=held, guarded=tuple(done.values), digest=digest)
