"""Settings of runs, which differ from test to test in a few."""

from isingprop.cli.run_settings import RunSettings


def settings_of_a_run(**changes):
    """Returns those of a small run on the digits, with changes."""
    settings = {
        "data": "digits",
        "data_dir": None,
        "num_train": 300,
        "num_test": None,
        "epochs": 2,
        "num_states": 3,
        "num_sweeps": 20,
        "hidden": (12,),
        "learning_rate": 0.001,
        "sampler": "anneal",
        "seed": 7,
        "threads": 1,
    }
    return RunSettings(**settings | changes)
