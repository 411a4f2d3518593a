"""Trains a restricted Boltzmann machine by sampling, and compares it with exact enumeration.

    python python/examples/boltzmann.py            # takes some 3 s

Pixels v and hidden units s are spins with

    P(s, v) = exp(-E) / Z,   E = -sum_i b_i s_i - sum_a c_a v_a - sum_ia W_ia s_i v_a,

so states sampled at inverse temperature 1 are samples of the machine, and the gradient of the
log-likelihood by W is the mean of s_i v_a over the data minus that over the machine. With 10 hidden
units Z is a sum over 1,024 states. Prints the log-likelihood of the digits, in nats per image, for
independent pixels and then in the course of training, always exact; beside it how far sampled means
of s_i v_a are from exact ones, in units of 1 / sqrt(reads): about 1 for good samples. The chains of
training make ten sweeps per update, so that they fall behind in the end; fresh ones do not.
"""

import sys

import numpy as np

import isingprop as ip

NUM_HIDDEN, NUM_READS = 10, 1000
STATES = 1 - 2.0 * np.array([[k >> i & 1 for i in range(NUM_HIDDEN)] for k in range(2**NUM_HIDDEN)])


def log_2cosh(x):
    """Returns log(2 cosh x), the logarithm of the sum over one spin in the field x."""
    return np.logaddexp(x, -x)


def exact(W, b, c):
    """Returns log Z and the machine's means of s v, s and v, by enumeration of s."""
    fields = c + STATES @ W
    weights = STATES @ b + log_2cosh(fields).sum(axis=1)
    log_z = np.logaddexp.reduce(weights)
    p, v = np.exp(weights - log_z), np.tanh(fields)
    return log_z, ((STATES.T * p) @ v, p @ STATES, p @ v)


def log_likelihood(pixels, W, b, c):
    """Returns the mean log-probability of images, with s summed out."""
    return (pixels @ c + log_2cosh(b + pixels @ W.T).sum(axis=1)).mean() - exact(W, b, c)[0]


def of_machine(W, b, c, num_sweeps, seed, start=None):
    """Returns the machine's means from samples, and the samples, from which the next may start."""
    problem = ip.IsingProblem(-W, -b[None], -c[None])
    sampler = ip.Annealing(num_sweeps, beta_range=(1, 1))  # a constant temperature
    spins = sampler.sample(problem, NUM_READS, seed, start).spins
    s, v = spins[0, :, :NUM_HIDDEN].astype(float), spins[0, :, NUM_HIDDEN:].astype(float)
    return (s.T @ v / NUM_READS, s.mean(axis=0), v.mean(axis=0)), spins


def error_of(machine, W, b, c):
    """Returns the root mean square error of sampled means of s v, in units of 1 / sqrt(reads)."""
    return np.sqrt(np.mean((machine[0] - exact(W, b, c)[1][0]) ** 2) * NUM_READS)


def of_data(pixels, W, b):
    """Returns the means over the data; given the pixels, hidden units are independent."""
    s = np.tanh(b + pixels @ W.T)
    return s.T @ pixels / len(pixels), s.mean(axis=0), pixels.mean(axis=0)


def main(updates: int = 200, rate: float = 0.3) -> None:
    """Trains on black-and-white digits, and prints ten lines."""
    pixels = np.where(ip.load_data("digits").train_images > 0.5, 1.0, -1.0)
    mean = pixels.mean(axis=0)
    white = (1 + mean) / 2
    entropy = -sum(p[p > 0] @ np.log(p[p > 0]) for p in (white, 1 - white))
    print(f"independent pixels: log-likelihood {-entropy:.2f}")

    W = 0.05 * np.random.default_rng(0).standard_normal((NUM_HIDDEN, len(mean)))
    b, c = -W @ mean, np.arctanh(mean.clip(-0.99, 0.99))
    chains = None
    for update in range(1, updates + 1):
        data = of_data(pixels, W, b)
        machine, chains = of_machine(W, b, c, 10, update, chains)  # the chains go on
        if update % (updates // 10) == 0:
            likelihood, error = log_likelihood(pixels, W, b, c), error_of(machine, W, b, c)
            print(f"update {update:4}: log-likelihood {likelihood:.2f}, error of means {error:.2f}")

        # The gradient for s - <s> and v - <v> (Melchior, Fischer & Wiskott 2016), which needs far
        # fewer steps than that for s and v themselves, as most pixels are nearly always black.
        sv, s, v = (first - second for first, second in zip(data, machine, strict=True))
        step = sv - np.outer(s, mean) - np.outer(data[1], v)
        W += rate * step
        b += rate * (s - step @ mean)
        c += rate * (v - data[1] @ step)

    fresh, _ = of_machine(W, b, c, 1000, seed=0)
    print(f"fresh chains of 1000 sweeps: error of means {error_of(fresh, W, b, c):.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
