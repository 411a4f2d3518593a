"""Disjoint paths through a graph that together visit as few nodes as they can."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isingprop.util.checks import Doubles

_OFFSET = 1.0  # added to every cost, since scipy takes a stored 0 for no edge


def disjoint_paths(
    edges: NDArray[np.int64],
    cost: Doubles,
    first: NDArray[np.bool_],
    last: NDArray[np.bool_],
    number: int,
) -> list[NDArray[np.int64]] | None:
    """Returns paths that share no node and have the min total cost of their nodes.

    Let each node be followed by one node: by itself where no path visits it, else by the next one
    of its path, which the end of a path follows at last and which begins with its beginning. The
    cheapest choice is an assignment problem.

    Args:
        edges: (E, 2), from node to node; both directions where both may be taken.
        cost: (n,), cost of each node, > 0.
        first: (n,), nodes where a path may begin.
        last: (n,), nodes where a path may end.
        number: number of paths.

    Returns:
        (length,) nodes of each path, from its beginning to its end; None where there are too few.

    Example: edges 0-1, 1-2 and 3-4, beginnings 0 and 3, ends 2 and 4; two paths are [0, 1, 2] and
    [3, 4].

    References:
        Jonker & Volgenant 1987, doi:10.1007/BF02278710, which
        scipy.sparse.csgraph.min_weight_full_bipartite_matching follows.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    num_nodes = len(cost)
    begin, end = np.flatnonzero(first), np.flatnonzero(last)
    if min(len(begin), len(end)) < number:
        return None

    # Rows are followed by columns. Beyond the nodes, row n + k is followed by the first node of
    # path k, and column n + k follows its last one.
    beyond = num_nodes + np.arange(number)
    all_nodes = np.arange(num_nodes)
    rows = [all_nodes, edges[:, 0], np.repeat(beyond, len(begin)), np.tile(end, number)]
    columns = [all_nodes, edges[:, 1], np.tile(begin, number), np.repeat(beyond, len(end))]
    costs = [np.zeros(num_nodes), cost[edges[:, 1]], np.tile(cost[begin], number)]
    weights = np.concatenate([*costs, np.zeros(len(end) * number)]) + _OFFSET

    size = num_nodes + number
    index = np.concatenate(rows), np.concatenate(columns)
    graph = csr_array((weights, index), shape=(size, size))
    try:
        row, column = min_weight_full_bipartite_matching(graph)
    except ValueError:  # there is no full matching
        return None

    following = np.empty(size, dtype=np.int64)
    following[row] = column
    return [_path(following, start, num_nodes) for start in beyond.tolist()]


def _path(following: NDArray[np.int64], start: int, num_nodes: int) -> NDArray[np.int64]:
    """Returns the nodes that follow `start`, one after another."""
    path = []
    node = int(following[start])
    while node < num_nodes:
        path.append(node)
        node = int(following[node])
    return np.array(path, dtype=np.int64)
