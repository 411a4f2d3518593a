"""What `isingprop reproduce` leaves in a folder."""

TWO_SEEDS = ("--quick", "--seeds", "2", "--json")


def contents(folder):
    """All files by their names, but those that hold times or processes, and no jobs' results."""
    timed = ("fig5_seconds.csv", "lock")
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.is_file() and path.name not in timed and path.suffix not in (".json", ".md", ".svg")
    }


def without_seconds(numbers):
    """Numbers that a second run must have too."""
    if isinstance(numbers, dict):
        return {
            name: without_seconds(value) for name, value in numbers.items() if "seconds" not in name
        }
    return numbers


def results_of(folder):
    return {path.name: path.stat().st_mtime_ns for path in (folder / "jobs").iterdir()}
