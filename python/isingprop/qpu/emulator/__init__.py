"""An emulated D-Wave chip."""
