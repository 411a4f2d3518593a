"""Made-up results of the study of equivalence."""

import numpy as np

from isingprop.paper.mlp_equivalence.equivalence_jobs import (
    moments,
)

CURVES = (
    "loss",
    "loss_inherited",
    "log_likelihood",
    "log_likelihood_inherited",
    "mlp_accuracy",
    "mlp_accuracy_inherited",
    "ebm_accuracy",
    "ebm_accuracy_inherited",
    "kl",
    "gradient",
    "cosine",
    "mlp_norm_1",
    "mlp_norm_2",
    "mlp_largest",
    "ebm_norm_1",
    "ebm_norm_2",
    "ebm_largest",
)

SHARES = np.array([-0.01, 0.0, 0.01])  # by which seeds 0, 1, 2 differ from their mean

STUDENT = 4.302653  # t of a 95 % interval for two degrees of freedom


def sigmoid(u):
    return 1 / (1 + np.exp(-u))


def course(num_updates, **changes):
    """A result: curves over the moments, of which `changes` gives some, as numbers or as arrays."""
    count = len(moments(num_updates))
    falling = np.linspace(0.7, 0.1, count)
    values = {
        "loss": falling,
        "loss_inherited": falling,
        "log_likelihood": -falling,
        "log_likelihood_inherited": -falling,
        **{name: 0.9 for name in CURVES if "accuracy" in name},
        "kl": 0.001,
        "gradient": 0.5,
        "cosine": np.linspace(1, 0.9, count),
        **{name: np.linspace(1, 4, count) for name in CURVES if "norm" in name},
        **{name: 0.25 for name in CURVES if "largest" in name},
        **changes,
    }
    logits = values.pop("logits", np.zeros((count, 6)))
    return {name: np.array(np.broadcast_to(value, count)) for name, value in values.items()} | {
        "logits": logits
    }
