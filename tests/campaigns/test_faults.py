"""A campaign of server faults: several at random exchanges of a run on a local service, which the
user starts again until it is done.
"""

import random
from collections import Counter

import pytest
from dwave.system import DWaveSampler

import isingprop as ip
from helpers import oracle, tolerances
from helpers.dwave import malformed
from helpers.dwave.dwave_runs import on_disk
from helpers.dwave.fault_cases import ASKED, CLIENT_SECONDS, OFFLINE, H, O
from helpers.dwave.rehearsal import small_network, two_classes
from helpers.dwave.small_service import NAME, TOKEN, SmallService
from helpers.forked_command import shorten_waits
from isingprop.qpu.calls import call_sender, device_session
from isingprop.qpu.calls.record import Index
from isingprop.qpu.local_service import service_faults as faults

MAX_FAULTS = 5  # of a round
MAX_SKIPPED = 6  # requests before a fault
MAX_TIMES = 6  # requests in a row that a fault befalls
LATE = 0.1  # seconds by which a reply comes too late
MAX_STARTS = 60  # of a run, after which it is given up

REPLIES = ("solvers", "accepted", "poll", "list", "answer")
FAULTS = {
    f"{name} at {point}": (point, action)
    for points, actions in [
        (faults.POINTS, {"drop": faults.drop, "late": faults.delay(CLIENT_SECONDS + LATE)}),
        (faults.POINTS, {f"HTTP {code}": faults.http_error(code) for code in (401, 408, 429)}),
        (faults.POINTS, {f"HTTP {code}": faults.http_error(code) for code in (500, 503)}),
        (("solvers", "poll", "list", "answer"), {"HTTP 403": faults.http_error(403)}),
        (("solvers", "poll", "list", "answer"), {"HTTP 404": faults.http_error(404)}),
        (REPLIES, {"cut": faults.cut, "half of JSON": faults.not_json}),
        (("answer",), malformed.MALFORMED),
        (
            ("answer",),
            {
                f"timing: {kind}": malformed.field("timing", told)
                for kind, told in malformed.TIMING.items()
            },
        ),
        (("answer",), {"wrong energies": malformed.wrong_energies(2)}),
        (
            ("submit",),
            {
                "failed": faults.fail(),
                "cancelled": faults.cancel,
                "rejected": faults.reject("h is out of range"),
                "refused": faults.submission_error(400, "h is out of range"),
                "HTTP refusal": faults.http_error(400, "h is out of range"),
                "offline": faults.reject(OFFLINE),
                "HTTP offline": faults.http_error(400, OFFLINE),
                "refused offline": faults.submission_error(400, OFFLINE),
            },
        ),
    ]
    for point in points
    for name, action in actions.items()
}

OWN_ERRORS = (RuntimeError, ConnectionError, PermissionError)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(device_session, "_DELAYS", None)  # both are put back after the test
    monkeypatch.setattr(call_sender, "_SETTLING", None)
    shorten_waits()
    monkeypatch.setattr(device_session, "_DELAYS", (0.01,) * 8)
    monkeypatch.setattr(call_sender, "_SETTLING", 5 * LATE)


@pytest.fixture
def account(tmp_path, monkeypatch):
    """account(sapi): sets up the account of a service, for an impatient client."""

    def set_up(sapi):
        file = tmp_path / "dwave.conf"
        file.write_text(f"[defaults]\nrequest_timeout = {CLIENT_SECONDS}\nhttp_retry_total = 1\n")
        for name, value in (sapi.environment | {"DWAVE_CONFIG_FILE": str(file)}).items():
            monkeypatch.setenv(name, value)

    return set_up


def sampled(sampler):
    states = sampler.sample(oracle.random_problem(H, O, num_problems=6, seed=1), **ASKED)
    return {"spins": states.spins, "energies": states.energies}


def trained(sampler):
    network = small_network()
    # Two copies share the problems of each batch: what is sent anew is then the same call.
    trainer = ip.Trainer(network, sampler, num_states=3, batch_size=4, seed=0)
    trainer.fit(two_classes(num_test=2), epochs=2)
    return dict(network.parameters())


RUNS = (sampled, trained)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The results of each run, and the number of its calls, where nothing goes wrong."""
    results = {}
    for run in RUNS:
        folder = tmp_path_factory.mktemp("undisturbed")
        with SmallService() as sapi, DWaveSampler(**sapi.config) as device:
            result = run(ip.DWave(solver=device, record=folder, num_copies=2))
            results[run] = result, len(sapi.paid)
    return results


def plan_faults(sapi, chance, befallen):
    """Plans some faults, which are counted as they happen; returns whether any changes times."""
    chosen = chance.choices(list(FAULTS), k=chance.randint(1, MAX_FAULTS))
    hit: list[faults.Exchange] = []
    for name in chosen:
        point, action = FAULTS[name]

        def noted(exchange, name=name, action=action):
            # A fault may leave nothing that another one could change.
            if all(exchange is not other for other in hit):
                hit.append(exchange)
                befallen[name] += 1
                action(exchange)

        skip, times = chance.randrange(MAX_SKIPPED), chance.randint(1, MAX_TIMES)
        sapi.at(point, noted, skip=skip, times=times)
    return any("timing" in name for name in chosen)


def checked_words(error):
    """The first words of an error, which must be one of our own types, in one line."""
    assert type(error) in OWN_ERRORS, repr(error)
    assert "\n" not in str(error)
    assert TOKEN not in str(error)
    return f"{type(error).__name__}: {' '.join(str(error).split()[:3])}"


def run_until_done(run, folder, chance, told):
    """Starts a run until it ends, each time with the sampler of before or in a new session."""
    sampler = None
    for _ in range(MAX_STARTS):
        sampler = sampler or ip.DWave(solver=NAME, record=folder, num_copies=2)
        try:
            result = run(sampler)
            sampler.close()
            return result
        except OWN_ERRORS as error:
            told[checked_words(error)] += 1
        if chance.random() < 0.5:
            sampler.close()
            sampler = None
    raise AssertionError(f"{MAX_STARTS} starts were not enough")


@pytest.mark.slow
def test_faults_at_random_exchanges_cost_and_change_nothing(tmp_path, rounds, undisturbed, account):
    number, befallen, told, starts = rounds(8), Counter(), Counter(), 0
    for k in range(number):
        chance, folder = random.Random(f"faults {k}"), tmp_path / str(k)
        run = RUNS[k % len(RUNS)]
        wanted, num_calls = undisturbed[run]
        print(k, run.__name__)
        with SmallService(pending=chance.choice([0.0, 0.02])) as sapi:
            account(sapi)
            other_times = plan_faults(sapi, chance, befallen)
            before = told.total()
            result = run_until_done(run, folder, chance, told)
            starts += told.total() - before + 1

            assert len(sapi.paid) == num_calls
            assert sorted(on_disk(folder)) == sorted((paid.id, True) for paid in sapi.paid)
            charged = sum(paid.qpu_access_time for paid in sapi.paid) * 1e-6
        index = Index(folder)
        assert index.pending == {}
        assert other_times or index.seconds == pytest.approx(charged)
        for again in (result, run(ip.Replay(folder))):
            assert all(tolerances.same_bits(again[name], wanted[name]) for name in wanted)

    print(f"{number} rounds, {befallen.total()} faults of {len(befallen)} kinds, {starts} starts")
    print(dict(told))
    assert befallen.total() >= number
