"""Calls to a chip: from a problem to what is sent, and from a recorded answer to states.

    IsingProblem ──tasks──▶ Task ──programmed_chip──▶ PreparedCall ──call_sender──▶ chip
    States       ◀─tasks── Answer ◀───────────────── record (folder) ◀──────────────┘

`device_session` joins these steps for one device: it opens the device, embeds the network and
repeats calls that failed.
"""
