"""D-Wave's chips: what they are, how networks lie on them, and how they are called.

Four sub-packages, each of which imports only those before it:

- `chip`: what a chip is and accepts: its working graph, its qubit lines, ranges and schedules,
  energy scales A(s) and B(s), and two real chips as D-Wave lists them.
- `embed`: where a complete bipartite network lies on a chip: search, cache and plot of embeddings.
- `emulator`: `EmulatedQPU`, a chip in software that answers as a real one does.
- `calls`: how problems become calls, how calls are sent, and how their answers are recorded.

Two modules beside them: `settings` holds what decides the numbers of a `DWave` sampler, and
`estimate` computes what a run costs. Nothing here imports a sampler; `samplers` imports from here.
Ocean's libraries are imported only where they are used.
"""
