"""The class energies of a network as an ONNX model, for runtimes without this package."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isingprop.util.checks import real_number
from isingprop.util.files import write_atomically

if TYPE_CHECKING:
    from onnx import GraphProto, ValueInfoProto

    from isingprop.network.bipartite import BipartiteNetwork

# ONNX Runtime loads them since its version 1.12 of 2022.
_OPSET, _IR_VERSION = 17, 8

# Operator, inputs, output and attributes of each node.
_Node = tuple[str, tuple[str, ...], str, dict[str, Any]]
_ENERGIES: tuple[_Node, ...] = (
    ("Gemm", ("images", "input_weights", "hidden_bias"), "hidden_fields", {"transB": 1}),
    ("Unsqueeze", ("hidden_fields", "class_axis"), "hidden_rows", {}),  # (B, 1, H)
    ("Add", ("hidden_rows", "class_couplings"), "fields", {}),  # (B, K, H)
    ("Abs", ("fields",), "strengths", {}),
    ("ReduceSum", ("strengths", "hidden_axis"), "total_strengths", {"keepdims": 0}),  # (B, K)
    ("Sub", ("class_biases", "total_strengths"), "energies", {}),
    ("ArgMin", ("energies",), "classes", {"axis": 1, "keepdims": 0}),
)
# Gaps are 0 for the lowest energy, so that no beta makes all exponents infinite.
_PROBABILITIES: tuple[_Node, ...] = (
    ("ReduceMin", ("energies",), "lowest", {"axes": [1], "keepdims": 1}),
    ("Sub", ("energies", "lowest"), "gaps", {}),
    ("Mul", ("gaps", "minus_beta"), "exponents", {}),
    ("Softmax", ("exponents",), "probabilities", {"axis": 1}),
)


def write_onnx(path: str | os.PathLike[str], network: BipartiteNetwork) -> None:
    """Writes the model of `BipartiteNetwork.to_onnx`, whole or not at all."""
    network.check_finite()
    try:
        from onnx import helper
    except ImportError:
        raise ImportError('an ONNX model needs onnx: pip install "isingprop[onnx]"') from None
    beta = None if network.beta is None else real_number("beta", network.beta, above=0.0)

    model = helper.make_model(
        _graph(network, beta),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="isingprop",
        producer_version=version("isingprop"),
    )
    helper.set_model_props(model, _metadata(network, beta))
    write_atomically(path, model.SerializeToString(deterministic=True))


def _graph(network: BipartiteNetwork, beta: float | None) -> GraphProto:
    from onnx import TensorProto, helper, numpy_helper

    def value(name: str, element: int, *lengths: int) -> ValueInfoProto:
        return helper.make_tensor_value_info(name, element, ["batch", *lengths])

    images = value("images", TensorProto.FLOAT, network.num_inputs)
    energies = value("energies", TensorProto.FLOAT, network.num_classes)
    outputs, nodes = [energies, value("classes", TensorProto.INT64)], _ENERGIES
    if beta is not None:
        outputs.append(value("probabilities", TensorProto.FLOAT, network.num_classes))
        nodes += _PROBABILITIES

    made = [helper.make_node(kind, ins, [out], **how) for kind, ins, out, how in nodes]
    arrays = _arrays(network, beta).items()
    constants = [numpy_helper.from_array(array, name) for name, array in arrays]
    return helper.make_graph(made, "class_energies", [images], outputs, constants)


def _arrays(network: BipartiteNetwork, beta: float | None) -> dict[str, NDArray[Any]]:
    """Returns the constants of the model by name.

    With the codes n of the classes, class_couplings are n J^T, (K, H), and class_biases n b^o,
    (K,): sums over output spins, in double precision.
    """
    codes = network.readout.targets(range(network.num_classes)).astype(np.float64)
    arrays = {
        "input_weights": np.ascontiguousarray(network.input_weights),
        "hidden_bias": network.hidden_bias,
        "class_couplings": (codes @ network.couplings.T.astype(np.float64)).astype(np.float32),
        "class_biases": (codes @ network.output_bias.astype(np.float64)).astype(np.float32),
        "class_axis": np.array([1]),
        "hidden_axis": np.array([2]),
    }
    return arrays if beta is None else {**arrays, "minus_beta": np.array([-beta], np.float32)}


def _metadata(network: BipartiteNetwork, beta: float | None) -> dict[str, str]:
    """Returns what the file says of the class code and of the probabilities."""
    readout = network.readout
    code = {"num_classes": str(readout.num_classes), "redundancy": str(readout.redundancy)}
    return code if beta is None else {**code, "beta": repr(beta)}
