"""Fast anneals, reads from the last one, spin reversals and flux biases through the real client."""

import numpy as np
import pytest
from dwave.system import DWaveSampler

import isingprop as ip
from helpers import oracle
from helpers.dwave.dwave_runs import on_disk
from helpers.dwave.fault_cases import H, O
from helpers.dwave.small_service import SmallService

SETTINGS = {
    "fast": ({"mode": "fast", "annealing_time": 0.02}, 1),
    "last read": ({"mode": "reverse", "reinitialize_state": False}, 1),
    "reversals": ({"spin_reversal": 3}, 3),
    "flux": ({"flux_biases": np.linspace(-1e-5, 1e-5, 160)}, 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_a_call_is_accepted_priced_recorded_and_played_back(sapi, tmp_path, name):
    settings, calls = SETTINGS[name]
    problem = oracle.random_problem(H, O, num_problems=1, seed=1)
    start = oracle.random_spins(1, 1, H + O, seed=2) if name == "last read" else None
    asked = {"num_reads": 6, "seed": 1, "initial": start}
    with DWaveSampler(**sapi.config) as device:
        qpu = ip.DWave(solver=device, num_copies=1, record=tmp_path / "record", **settings)
        states = qpu.sample(problem, **asked)
        price = qpu.estimate(
            num_images=1,
            epochs=1,
            num_states=6,
            num_hidden=H,
            num_output=O,
            references=int(start is not None),
        )
        again = qpu.sample(problem, **asked)
        qpu.close()

    assert len(sapi.paid) == price.calls == calls
    assert sorted(on_disk(tmp_path / "record")) == sorted((paid.id, True) for paid in sapi.paid)
    paid = sum(each.qpu_access_time for each in sapi.paid) * 1e-6
    assert price.seconds == pytest.approx(paid, rel=1e-6)
    assert np.array_equal(again.spins, states.spins)
    replayed = ip.Replay(tmp_path / "record").sample(problem, **asked)
    assert np.array_equal(replayed.spins, states.spins)

    for each in sapi.paid:
        sent = each.job["params"]
        assert ("fast_anneal" in sent) == (name == "fast")
        assert sent.get("reinitialize_state") == (False if name == "last read" else None)
        assert sent["num_reads"] == 6 // calls
        biases = settings.get("flux_biases")
        assert sent.get("flux_biases") == (None if biases is None else biases.tolist())
        assert sent.get("flux_drift_compensation") == (None if biases is None else False)


@pytest.mark.slow
def test_a_shim_belongs_to_the_chip_that_it_was_made_for(tmp_path):
    """Its calls are not made again, and not taken for those of the chip that has come since."""
    problem = oracle.random_problem(H, O, num_problems=1, seed=1)
    asked = {"num_calls": 2, "num_reads": 20}
    chips = {name: ip.EmulatedQPU("zephyr", 2, field_noise=0.1) for name in ("first", "next")}
    with SmallService(chips) as sapi:
        for again in (False, True):
            with DWaveSampler(solver="first", **sapi.config) as device:
                qpu = ip.DWave(solver=device, num_copies=1, record=tmp_path)
                biases = qpu.shim(problem, **asked)
                assert biases.shape == (160,)
                assert np.count_nonzero(biases) == qpu.copies(H, O)[0].num_qubits
                assert len(sapi.paid) == 2, f"again: {again}"
                qpu.close()

        with DWaveSampler(solver="next", **sapi.config) as device:
            qpu = ip.DWave(solver=device, num_copies=1, record=tmp_path)
            refusal = r"^flux biases must come from one chip, got answers of first .* now next "
            with pytest.raises(RuntimeError, match=refusal):
                qpu.shim(problem, **asked)
            assert qpu.shim(problem, **asked, seed=1).shape == biases.shape
            assert len(sapi.paid) == 4
            qpu.close()
