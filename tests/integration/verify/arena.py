"""The sample on two servers, with a target that is edited and held to what a comparison says about it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.integration.verify.editor import Editor
from tests.integration.verify.edits import Edit, every_update, respellings
from tests.integration.verify.images import Differences, Image, Oracle, take_images
from tests.integration.verify.tables import Row, Table, read_rows, read_tables

from trueup.conninfo import ConnInfo
from trueup.db import connect, snapshot
from trueup.db.connection import Connection
from trueup.parity.data import Side, TableComparison, compare
from trueup.parity.schema import Catalog, catalog
from trueup.report.model import Verdict
from trueup.servers import EmbeddedServer
from trueup.verify.sample import datasets, load, move

SOURCE, PRISTINE, EDITED = "random_edits_source", "random_edits_pristine", "random_edits"


@dataclass(frozen=True, kw_only=True)
class Arena:
    name: str
    source: ConnInfo
    target_server: EmbeddedServer
    catalogs: tuple[Catalog, Catalog]
    tables: Mapping[str, Table]
    rows: Mapping[str, Sequence[Row]]
    """Of the target, before any edit."""
    images: Mapping[str, Image]
    """Of the source."""
    respellings: Sequence[Edit]

    def hold_to(self, planned: Sequence[Edit]) -> tuple[Mapping[str, Differences], Counter[str]]:
        """Edit a new copy of the target; assert that exactly the differences are found.

        Returns the differences of each table, and how many edits of each kind were done.
        """
        with self.target() as target:
            with connect(target) as connection:
                editor = Editor(connection, self.tables, self.rows)
                editor.apply(planned)
                images = take_images(target, self.tables.values(), bin_folder=self.target_server.bin_folder)
                expected = self.expected(Oracle(connection), images)
            found = {one.table: one for one in self.compare(target)}
        assert all(one.keys() <= editor.touched[name] for name, one in expected.items()), "the oracle has to be right"
        said = {name: read(one) for name, one in found.items()}
        wrong = {name for name in expected.keys() | said.keys() if expected.get(name) != said.get(name)}
        assert {name: said.get(name) for name in wrong} == {name: expected.get(name) for name in wrong}, [
            edit for edit in planned if edit.table in wrong
        ]
        assert {name: one.verdict for name, one in found.items()} == {
            name: Verdict.FAILED if one else Verdict.PASSED for name, one in expected.items()
        }
        return expected, editor.done

    @contextmanager
    def target(self) -> Iterator[ConnInfo]:
        try:
            yield self.target_server.create_database(EDITED, template=PRISTINE)
        finally:
            self.target_server.drop_database(EDITED)

    def expected(self, oracle: Oracle, images: Mapping[str, Image]) -> Mapping[str, Differences]:
        return {name: oracle.differences(table, self.images[name], images[name]) for name, table in self.tables.items()}

    def compare(self, target: ConnInfo) -> tuple[TableComparison, ...]:
        with snapshot(self.source) as one, snapshot(target) as other:
            return compare(Side(snapshot=one, catalog=self.catalogs[0]), Side(snapshot=other, catalog=self.catalogs[1]))


def read(found: TableComparison) -> Differences:
    """Return what a comparison says in the oracle's words."""
    assert found.source_rows is not None
    assert found.target_rows is not None
    assert not found.truncated
    assert not found.columns_not_compared
    said = Differences(rows=(found.source_rows, found.target_rows))
    if found.key:
        said.missing, said.extra = Counter(found.missing), Counter(found.extra)
    else:
        said.without_key = sorted(Counter(found.missing).values()), sorted(Counter(found.extra).values())
    said.changed = {row.key: (row.columns, row.representation) for row in found.changed}
    assert (found.missing_count, found.extra_count) == (len(found.missing), len(found.extra))
    assert found.changed_count == len(said.changed)
    return said


def build_arena(name: str, source_server: EmbeddedServer, target_server: EmbeddedServer) -> Arena:
    """Load the sample, give some rows awkward values, and move all of it to the target as people do it."""
    source, pristine = source_server.create_database(SOURCE), target_server.create_database(PRISTINE)
    for dataset in datasets():
        load(dataset, source)
    with connect(source) as connection:
        tables = read_tables(connection)
        season(connection, tables)
    move(source, pristine, bin_folder=max(source_server, target_server, key=lambda one: one.version).bin_folder)
    images = take_images(source, tables.values(), bin_folder=source_server.bin_folder)
    assert take_images(pristine, tables.values(), bin_folder=target_server.bin_folder) == images
    with connect(pristine) as connection:
        rows = {name: read_rows(connection, table) for name, table in tables.items()}
        respelled = respellings(connection, tables.values(), rows)
    with snapshot(source) as one, snapshot(pristine) as other:
        catalogs = catalog(one), catalog(other)
    return Arena(
        name=name,
        source=source,
        target_server=target_server,
        catalogs=catalogs,
        tables=tables,
        rows=rows,
        images=images,
        respellings=respelled,
    )


def season(connection: Connection, tables: Mapping[str, Table]) -> None:
    """Bring awkward values to columns of the source, where constraints let them in."""
    editor = Editor(connection, tables, {name: read_rows(connection, table) for name, table in tables.items()})
    with connection.transaction():
        for table in tables.values():
            for column in table.written:
                if not column.is_identifying:
                    for _, edit in every_update(column, rows=len(editor.rows[table.name]), first=1):
                        editor.apply_one(table, edit)


def destroy(arena: Arena, source_server: EmbeddedServer) -> None:
    source_server.drop_database(SOURCE)
    arena.target_server.drop_database(PRISTINE)
