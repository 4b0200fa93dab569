"""The order of tables that point to each other."""

from collections.abc import Iterable, Mapping, Sequence


def in_order(tables: Iterable[str], edges: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Return the tables, those that are pointed to first; tables that point to each other in a circle stand together.

    `edges` are pairs of a table and one that it points to.

    Source: Tarjan, "Depth-first search and linear graph algorithms" (1972): strongly connected components.
    """
    parents: dict[str, list[str]] = {table: [] for table in tables}
    for table, parent in edges:
        if table in parents and parent in parents:
            parents[table].append(parent)
    return Search(parents).run()


class Search:
    """Is the state of one search; recursion goes as deep as the longest chain of tables."""

    def __init__(self, parents: Mapping[str, Sequence[str]]) -> None:
        self.parents = parents
        self.lowest: dict[str, int] = {}
        self.path: list[str] = []
        self.found: list[tuple[str, ...]] = []

    def run(self) -> list[tuple[str, ...]]:
        """Search from every table."""
        for table in self.parents:
            if table not in self.lowest:
                self.visit(table)
        return self.found

    def visit(self, table: str) -> None:
        """Look at what a table points to; then take off the path all that lead back to it."""
        number = self.lowest[table] = len(self.lowest)
        self.path.append(table)
        for parent in self.parents[table]:
            if parent not in self.lowest:
                self.visit(parent)
            if parent in self.path:
                self.lowest[table] = min(self.lowest[table], self.lowest[parent])
        if self.lowest[table] == number:
            begin = self.path.index(table)
            self.found.append(tuple(self.path[begin:]))
            del self.path[begin:]
