#!/usr/bin/env bash
# minorminer 0.2.22: busclique embeds K_{120,40} as if it were K_{120,120}.
#
# A user's guess before any run: on a perfect Zephyr Z12, find_biclique_embedding(120, 40) takes
# fewer qubits than find_biclique_embedding(120, 120), about 680: straight chains of 3 qubits for
# the 120 spins, which cross 40 lines, and of 8 for the 40 spins, which cross 120.
#
# Seen: the 160 chains are cut out of those of K_{120,120}, all with 8 qubits, 1,280 in all; the
# argument that is the smaller one changes the number of chains and not their length. So a chip
# seems to hold one copy of the network where it holds five.
#
# Output (qubits in all; the longest and the shortest chain):
#   K_{120,120}   1920 8 8
#   K_{120,40}    1280 8 8
#   straight       680 8 3
#
# Exits with 0 as long as it is so.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet minorminer==0.2.22 dwave-graphs==1.2.0 networkx==3.6.1 numpy==2.4.6

# The cache of embeddings stays out of the user's folders.
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import dwave.graphs
import networkx
from minorminer.busclique import busgraph_cache
from minorminer.utils.diagnostic import is_valid_embedding

chip = dwave.graphs.zephyr_graph(12)
cache = busgraph_cache(chip)


def lengths(embedding):
    chains = [len(chain) for chain in embedding.values()]
    return sum(chains), max(chains), min(chains)


def lines():
    """Returns straight chains of K_{120,40}: 15 columns of lines that cross 5 rows of them.

    Line (w, k, j) of one direction crosses column or row w of the other; its segment z covers
    the places 2 z + j and 2 z + j + 1.
    """
    def line(direction, w, k, j, begin, end):
        segments = range(max((begin - j) // 2, 0), (end - 1 - j) // 2 + 1)
        return [(direction, w, k, j, z) for z in segments]

    number = dwave.graphs.zephyr_coordinates(12).zephyr_to_linear
    columns, rows = range(1, 16), range(1, 6)
    tracks = [(k, j) for k in range(4) for j in range(2)]
    hidden = [line(0, w, k, j, 1, 6) for w in columns for k, j in tracks]
    output = [line(1, w, k, j, 1, 16) for w in rows for k, j in tracks]
    return {n: [number(q) for q in chain] for n, chain in enumerate(hidden + output)}


balanced = lengths(cache.find_biclique_embedding(120, 120))
unbalanced = lengths(cache.find_biclique_embedding(120, 40))
straight = lines()
assert is_valid_embedding(straight, networkx.complete_bipartite_graph(120, 40), chip)

for name, found in (("K_{120,120} ", balanced), ("K_{120,40}  ", unbalanced), ("straight    ", lengths(straight))):
    print(name, *found)
assert balanced == (1920, 8, 8), balanced
assert unbalanced == (1280, 8, 8), "K_{120,40} has chains of its own now"
assert lengths(straight) == (680, 8, 3), lengths(straight)
PYTHON
