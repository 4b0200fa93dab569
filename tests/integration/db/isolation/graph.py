"""Circles in a directed graph, whose nodes are anything that can be told apart."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)
Edge = tuple[int, int]


def components(edges: Iterable[tuple[Node, Node]]) -> list[set[Node]]:
    """Return the strongly connected components of two nodes and more: whoever is on a circle is in one of them.

    Source: Tarjan, "Depth-First Search and Linear Graph Algorithms" (1972); without recursion.
    """
    onward = successors(edges)
    lowest: dict[Node, int] = {}
    rests: dict[Node, Iterator[Node]] = {}
    open_nodes: dict[Node, int] = {}
    """Those that belong to no component yet, with their number, in the order in which they were met."""
    found: list[set[Node]] = []
    for root in onward:
        path = [] if root in rests else [root]
        while path:
            node = path[-1]
            if node not in rests:
                lowest[node] = open_nodes[node] = len(rests)
                rests[node] = iter(onward.get(node, ()))
            fresh = next((following for following in rests[node] if following not in rests), None)
            if fresh is not None:
                path.append(fresh)
                continue
            path.pop()
            met = [lowest[following] for following in onward.get(node, ()) if following in open_nodes]
            lowest[node] = min([lowest[node], *met])
            if lowest[node] == open_nodes[node]:
                found.append(close(open_nodes, node))
    return [component for component in found if len(component) > 1]


def close(open_nodes: dict[Node, int], first: Node) -> set[Node]:
    """Take `first` and all that was met after it out of the open nodes, and return them."""
    component: set[Node] = set()
    while first not in component:
        component.add(open_nodes.popitem()[0])
    return component


def circles_without_two_in_a_row(firm: Iterable[Edge], weak: Iterable[Edge]) -> list[set[int]]:
    """Return the nodes of circles with weak edges of which no two follow each other.

    Each node stands twice: as one that was reached by a weak edge, which may be left by a firm one only.
    """
    doubled = {((a, by_weak), (b, False)) for a, b in firm for by_weak in (False, True)}
    doubled |= {((a, False), (b, True)) for a, b in weak}
    found = components(doubled)
    return [{node for node, _ in component} for component in found if any(by_weak for _, by_weak in component)]


def is_reachable(onward: Mapping[int, set[int]], start: int, goal: int, *, among: Collection[int]) -> bool:
    """Return whether a way leads from one node to another through certain nodes."""
    seen, todo = {start}, [start]
    while todo:
        fresh = {node for node in onward.get(todo.pop(), ()) if node in among and node not in seen}
        if goal in fresh:
            return True
        seen |= fresh
        todo += fresh
    return False


def successors(edges: Iterable[tuple[Node, Node]]) -> dict[Node, set[Node]]:
    onward: dict[Node, set[Node]] = defaultdict(set)
    for start, end in edges:
        onward[start].add(end)
    return dict(onward)
