"""A D-Wave chip emulated in software: `EmulatedQPU`, and the anneal behind it."""
