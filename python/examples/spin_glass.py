"""Samples a spin glass of your own couplings: overlaps of two replicas, and ground states.

    python python/examples/spin_glass.py           # takes some 5 s

Two layers of N spins, J_ij = +-1 / sqrt(N) at random, no fields: the bipartite
Sherrington-Kirkpatrick model. `from_dimod.py` samples models on any graph. Prints

- the distribution P(q) of the overlap q = sum_k s_k s'_k / 2N of two independent states, above and
  below the temperature of the glass, beside its exact second moment by enumeration for N = 9;
- the lowest energy that annealing finds, and the exact one, for N = 16.
"""

import numpy as np

import isingprop as ip


def glass(size: int, seed: int) -> ip.IsingProblem:
    """Returns the model with `size` spins in each layer."""
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (size, size))
    return ip.IsingProblem(signs / np.sqrt(size), np.zeros((1, size)), np.zeros((1, size)))


def all_spins(size: int) -> np.ndarray:
    """Returns all states of one layer, (2^size, size)."""
    return 1.0 - 2 * (np.arange(2**size)[:, None] >> np.arange(size) & 1)


def exact_second_moment(problem: ip.IsingProblem, beta: float) -> float:
    """Returns <q^2> = sum_kl <s_k s_l>^2 / (2N)^2, with one layer enumerated, the other summed."""
    hidden = all_spins(problem.num_hidden)
    fields = -beta * (hidden @ problem.couplings)
    logs = np.logaddexp(fields, -fields).sum(axis=1)
    weights = np.exp(logs - logs.max())[:, None] / np.exp(logs - logs.max()).sum()

    means = np.hstack([hidden, np.tanh(fields)])  # of the other layer, given this one
    correlations = means.T @ (weights * means)
    np.fill_diagonal(correlations, 1)
    return (correlations**2).mean()


def exact_ground_energy(problem: ip.IsingProblem) -> float:
    """Returns the lowest energy: given one layer, each spin of the other follows its field."""
    return -np.abs(all_spins(problem.num_hidden) @ problem.couplings).sum(axis=1).max()


def overlaps(problem: ip.IsingProblem, beta: float, num_pairs: int) -> np.ndarray:
    """Returns the overlaps of pairs of states at an inverse temperature, (num_pairs,)."""
    sampler = ip.Tempering(num_sweeps=200, beta_range=(0.2, beta), target_beta=beta)
    states = sampler.sample(problem, num_reads=2 * num_pairs, seed=0)
    spins = states.spins[0].astype(float)
    return (spins[:num_pairs] * spins[num_pairs:]).mean(axis=1)


def main(num_pairs: int = 2000) -> None:
    """Prints P(q) and the energies of the ground states."""
    problem = glass(size=9, seed=1)
    values = np.linspace(-1, 1, problem.num_spins + 1)  # that q can have
    for beta in (0.5, 3.0):
        q = overlaps(problem, beta, num_pairs)
        error = (q**2).std() / np.sqrt(num_pairs)
        exact = exact_second_moment(problem, beta)
        print(f"beta {beta}: <q> {q.mean():+.3f} +- {q.std() / np.sqrt(num_pairs):.3f}, ", end="")
        print(f"<q^2> {(q**2).mean():.4f} +- {error:.4f}, exact {exact:.4f}; P(q):")
        for value in values:
            share = np.isclose(q, value).mean()
            print(f"  {value:+.2f} {share:.3f} {'*' * round(200 * share)}")

    for seed in range(3):
        problem = glass(size=16, seed=seed)
        states = ip.Annealing(num_sweeps=100).sample(problem, num_reads=100, seed=seed)
        exact = exact_ground_energy(problem)
        share = np.isclose(states.energies, exact).mean()
        print(f"glass {seed}: lowest {states.energies.min():.4f}, exact {exact:.4f}, ", end="")
        print(f"in {share:.0%} of the reads")


if __name__ == "__main__":
    main()
