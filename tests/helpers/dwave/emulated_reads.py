"""Parameters of requests to the emulated QPU."""

RAW = {"auto_scale": False, "answer_mode": "raw"}

STAY = [[0, 1], [20, 1]]
