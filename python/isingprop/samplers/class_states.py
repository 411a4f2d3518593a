"""ClassStates: the lowest state of each class, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isingprop import kernels
from isingprop.problem import IsingProblem
from isingprop.readout import Readout
from isingprop.samplers.arguments import check_problem, read_number, thread_number
from isingprop.samplers.protocol import BaseSampler
from isingprop.states import States
from isingprop.util.checks import Spins, seed_number


@dataclass(frozen=True)
class ClassStates(BaseSampler, returns_checked_states=True):
    """A sampler that computes, without chance, the lowest states whose outputs are class codes.

    With the outputs n[k] the hidden spins are independent of each other, so the lowest energy of
    class k is known (f and g are the fields, M = J n^T):

        E_k = sum_a g_a n_a[k] - sum_i |f_i + M_ik|

    They are the bottoms of the basins that dragon training raises and lowers. States whose outputs
    are no class code are not among them, and may be lower.

    Args:
        readout: the class code of the output spins.
        num_threads: threads of an epoch of training with batch_size > 1; changes the speed, never
            the states.

    Example:
        >>> from isingprop import BipartiteNetwork
        >>> network = BipartiteNetwork.random(num_inputs=4, num_hidden=8, num_classes=3)
        >>> states = ClassStates(network.readout).sample(network.problem([[0.0, 1.0, 0.5, 0.0]]), 2)
        >>> states.spins.shape
        (1, 2, 20)

    References:
        arXiv:2506.05244, Eq. (7).
    """

    readout: Readout
    num_threads: int = 1

    def __post_init__(self) -> None:
        """Checks both arguments."""
        if not isinstance(self.readout, Readout):
            raise TypeError(f"readout must be a Readout, got {type(self.readout).__name__}")
        object.__setattr__(self, "num_threads", thread_number(self.num_threads))

    @property
    def takes_initial(self) -> bool:
        """False: there is nothing to start from."""
        return False

    @property
    def ends_in_descent(self) -> bool:
        """True, in effect: the states follow no temperature."""
        return True

    def sample(
        self,
        problem: IsingProblem,
        num_reads: int = 1,
        seed: int | None = None,
        initial: Spins | None = None,
    ) -> States:
        """Returns the num_reads lowest class states of each problem, in order of energy.

        Args:
            problem: B problems over N spins, the last K * redundancy of which are the outputs.
            num_reads: 1 ... K. Of equal energies the lower class comes first.
            seed: has no effect.
            initial: must be None.

        Returns:
            States; `info` holds their classes (B, num_reads) and the seed.

        Raises:
            ValueError: for more reads than classes, start states, or a problem whose output layer
                does not fit the readout.
        """
        check_problem(problem)
        self.check_outputs(problem.num_output)
        num_reads, num_classes = read_number(num_reads), self.readout.num_classes
        if num_reads > num_classes:
            raise ValueError(
                f"num_reads must be at most {num_classes}, one for each class, got {num_reads}"
            )
        seed = seed_number(0 if seed is None else seed)
        if initial is not None:
            raise ValueError(
                "initial must be None for ClassStates, which starts from nothing, "
                f"got {type(initial).__name__}"
            )

        arrays = problem.couplings, problem.hidden_fields
        energies = kernels.class_energies(*arrays, problem.output_fields, num_classes)
        classes = energies.argsort(axis=1, kind="stable")[:, :num_reads]
        targets = self.readout.targets(classes)
        spins = kernels.reference_states(*arrays, targets)
        lowest = np.take_along_axis(energies, classes, axis=1)
        return States.trusted(spins, lowest, {"seed": seed, "classes": classes})

    def check_outputs(self, num_output: int) -> None:
        """Raises ValueError for a number of output spins that the readout does not have."""
        if num_output != self.readout.num_output:
            raise ValueError(
                f"problem must have {self.readout.num_output} output spins for {self.readout}, "
                f"got {num_output}"
            )
