"""A campaign of damage: single bits of every kind of file are turned over, and it is read again."""

import random
import warnings
from collections import Counter

import pytest

from helpers.written_files import KINDS, take_checksum_away

# Readers of the user's cache and of results of jobs find nothing in a damaged file, and what was
# there is computed anew. Users may edit config.json, so they are warned.
NOTHING = ("embeddings", "measurements", "result_of_a_job")
WARNED = ("run_settings",)
# These are compared with a chip or a job's settings, which leaves little to be changed.
COMPARED = ("embeddings", "result_of_a_job")
HEADER = 600  # bytes at the beginning of a file, in which half of the flips are


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """A cache folder in which nothing is yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def flip_and_read(written, expected, chance):
    """Turns over one bit, reads the file and puts it back; returns what came of it."""
    path = chance.choice(written.paths)
    content = path.read_bytes()
    end = min(HEADER, len(content)) if chance.random() < 0.5 else len(content)
    damaged = bytearray(content)
    damaged[chance.randrange(end)] ^= 1 << chance.randrange(8)

    path.write_bytes(damaged)
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = written.read()
    except (ValueError, FileNotFoundError) as refusal:  # of the second file of a checkpoint
        return "refused" if str(path) in str(refusal) else "refused without the path"
    finally:
        path.write_bytes(content)

    if found == expected:
        return "same"
    if any("does not fit its checksum" in str(warning.message) for warning in told):
        return "told"
    return "nothing" if found is None else "silent"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_bit_changes_what_is_read_without_a_word(tmp_path, rounds, kind):
    """A flip is refused by name, or changes nothing that is read."""
    written, chance = kind(tmp_path), random.Random(f"flips of {kind.__name__}")
    expected = written.read()
    found = Counter(flip_and_read(written, expected, chance) for _ in range(rounds(60)))

    print(kind.__name__, dict(found))
    allowed = {**dict.fromkeys(NOTHING, "nothing"), **dict.fromkeys(WARNED, "told")}
    named = allowed.get(kind.__name__, "refused")
    assert found["refused"] + found[named] > 0
    assert set(found) <= {"same", "refused", named}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* has no checksum")
@pytest.mark.parametrize(
    "kind",
    [kind for kind in KINDS if kind.__name__ not in COMPARED],
    ids=lambda kind: kind.__name__,
)
def test_without_checksums_flips_are_silent_but_end_in_no_bare_error(tmp_path, rounds, kind):
    """The control of the campaign: it finds damage that goes unnoticed."""
    written, chance = kind(tmp_path), random.Random(f"old {kind.__name__}")
    expected = written.read()
    for path in written.paths:
        take_checksum_away(path)
    assert written.read() == expected

    found = Counter(flip_and_read(written, expected, chance) for _ in range(rounds(60)))
    print(kind.__name__, "without a checksum", dict(found))
    assert found["silent"] > 0
