"""The dress rehearsal of a run on a D-Wave chip: `isingprop qpu rehearse`."""
