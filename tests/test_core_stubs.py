"""The stub `_core.pyi` says what pybind11 says of each function: names, order, defaults, types."""

import ast
from dataclasses import dataclass
from importlib.resources import files

import pytest

from isingprop import _core

STUB = files("isingprop").joinpath("_core.pyi").read_text(encoding="utf-8")
# What pybind11 calls a type (on the left) and a stub does (on the right).
NAMES = {
    "typing.SupportsInt": "int",
    "typing.SupportsIndex": "int",
    "typing.SupportsFloat": "float",
    "np": "numpy",
    "NDArray": "numpy.typing.NDArray",
}


@dataclass(frozen=True)
class Parameter:
    """A parameter: `types` are the members of its union, None among them where it may be None."""

    name: str
    types: frozenset[str]
    default: str | None


@dataclass(frozen=True)
class Signature:
    """The parameters of a function in order, and the members of the union that it returns."""

    parameters: tuple[Parameter, ...]
    returns: frozenset[str]


def written_type(node: ast.expr) -> str:
    """Returns a type under the name that both sides share.

    Of a tuple only the fact, because pybind11 does not know what is in it.
    """
    if isinstance(node, ast.Subscript):
        base = written_type(node.value)
        return base if base == "tuple" else f"{base}[{written_type(node.slice)}]"
    text = ast.unparse(node)
    if text not in NAMES and isinstance(node, ast.Attribute):
        text = f"{written_type(node.value)}.{node.attr}"
    return NAMES.get(text, text)


def members(node: ast.expr | None, aliases: dict[str, ast.expr]) -> frozenset[str]:
    """Returns the types of a union, each on its own."""
    assert node is not None, "a type is missing"
    if isinstance(node, ast.BinOp):
        both = members(node.left, aliases) | members(node.right, aliases)
        return both - {"int"} if "float" in both else both  # a float may be given as an int
    if isinstance(node, ast.Name) and node.id in aliases:
        return members(aliases[node.id], aliases)
    return frozenset({written_type(node)})


def signature(function: ast.FunctionDef, aliases: dict[str, ast.expr]) -> Signature:
    """Returns the signature of a parsed `def`, all of whose arguments can be passed by position."""
    arguments = function.args
    by_name = arguments.kwonlyargs, arguments.vararg, arguments.kwarg
    assert not any(by_name), function.name
    every = [*arguments.posonlyargs, *arguments.args]
    given = [ast.unparse(default) for default in arguments.defaults]
    defaults = [None] * (len(every) - len(given)) + given
    parameters = [
        Parameter(each.arg, members(each.annotation, aliases), default)
        for each, default in zip(every, defaults, strict=True)
    ]
    return Signature(tuple(parameters), members(function.returns, aliases))


def stub_signatures(text: str) -> dict[str, Signature]:
    """Returns the signatures of all functions of a stub."""
    body = ast.parse(text).body
    aliases = {
        each.target.id: each.value
        for each in body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and each.value
    }
    functions = [each for each in body if isinstance(each, ast.FunctionDef)]
    return {function.name: signature(function, aliases) for function in functions}


def overloads(docstring: str) -> list[Signature]:
    """Returns what pybind11 writes in a docstring: one signature, or several numbered ones."""
    lines = docstring.splitlines()
    if "Overloaded function." in lines:
        lines = [line.split(". ", 1)[1] for line in lines if line[:1].isdigit()]
    else:
        lines = lines[:1]
    functions = [ast.parse(f"def {line}: ...").body[0] for line in lines]
    return [signature(each, {}) for each in functions if isinstance(each, ast.FunctionDef)]


def merged(signatures: list[Signature]) -> Signature:
    """Returns the signature that allows what any of the overloads does."""
    first = signatures[0]
    for other in signatures[1:]:
        assert [each.name for each in other.parameters] == [each.name for each in first.parameters]
        parameters = tuple(
            Parameter(a.name, a.types | b.types, a.default)
            for a, b in zip(first.parameters, other.parameters, strict=True)
        )
        first = Signature(parameters, first.returns | other.returns)
    return first


def core_signatures() -> dict[str, Signature]:
    """Returns the signatures of all functions of the compiled module."""
    named = vars(_core).items()
    public = {name: each for name, each in named if callable(each) and name[0] != "_"}
    return {name: merged(overloads(each.__doc__)) for name, each in public.items()}


def differences(stub: str) -> list[str]:
    """Returns the names of functions that a stub lacks, has too many, or describes otherwise."""
    found, expected = stub_signatures(stub), core_signatures()
    return sorted(name for name in found | expected if found.get(name) != expected.get(name))


def test_the_stub_has_the_signatures_of_the_module():
    assert differences(STUB) == []


def test_every_function_of_the_stub_has_a_docstring():
    functions = [each for each in ast.parse(STUB).body if isinstance(each, ast.FunctionDef)]
    assert [each.name for each in functions if not ast.get_docstring(each)] == []


# What is wrong with a stub: the function, and one replacement within its definition.
WRONG = {
    "an argument has another name": ("weighted_sums", "weights:", "matrix:"),
    "an argument is missing": ("descend", "    num_threads: int,\n", ""),
    "there is one argument more": ("sigmoid", "x:", "out: int, x:"),
    "arguments are in another order": (
        "temper",
        "    num_sweeps: int,\n    target: int,\n",
        "    target: int,\n    num_sweeps: int,\n",
    ),
    "an argument has a default": ("energy_table", "num_threads: int", "num_threads: int = 1"),
    "an argument has no default": ("update", " | None = None", " | None"),
    "an argument has another default": ("update", "= None", "= 0"),
    "an argument may be None": ("descend", "NDArray[np.int8],", "NDArray[np.int8] | None,"),
    "an argument may not be None": ("anneal", "NDArray[np.int8] | None", "NDArray[np.int8]"),
    "an array has another dtype": ("cycle", "NDArray[np.uint64]", "NDArray[np.int64]"),
    "an array has one dtype only": (
        "energies",
        "couplings: _Floats",
        "couplings: NDArray[np.float32]",
    ),
    "an array has a dtype more": ("evolve", "angles: NDArray[np.float64]", "angles: _Floats"),
    "an array is no array": ("softplus", "x: NDArray[np.float64]", "x: float"),
    "a number is another one": ("anneal", "seed: int", "seed: float"),
    "another array is returned": ("local_fields", "-> NDArray[np.float32]", "-> NDArray[np.int8]"),
    "nothing is returned": (
        "hidden_means",
        "-> tuple[NDArray[np.float64], NDArray[np.float64]]",
        "-> None",
    ),
    "a function is missing": ("select_kernel", "def select_kernel", "def _select_kernel"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_stub_is_noticed(fault):
    name, old, new = WRONG[fault]
    before, begin, after = STUB.partition(f"def {name}(")
    body, end, rest = after.partition('"""')  # the definition up to its docstring
    definition = begin + body
    assert old in definition
    wrong = before + definition.replace(old, new, 1) + end + rest
    assert name in differences(wrong)


def test_a_function_that_the_module_does_not_have_is_noticed():
    assert differences(STUB + "\ndef anneal_twice(x: int) -> None: ...\n") == ["anneal_twice"]
