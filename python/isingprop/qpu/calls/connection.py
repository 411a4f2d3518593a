"""The connection to a D-Wave solver: how it is opened, and what its errors mean for a call."""

from __future__ import annotations

import os
import re
import struct
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from isingprop.util.messages import chain_of, reason_of

if TYPE_CHECKING:
    from isingprop.qpu.calls.call_data import Call

_NOT_FOUND = 404
_CLIENT_ERRORS = range(400, 500)
# Request timeout and too many requests: client errors that say nothing about the problem sent.
_TRY_AGAIN = (408, 429)
NOT_CHARGED = ("FAILED", "CANCELLED")  # status of problems at D-Wave
# D-Wave's words are "Solver is offline"; its client looks for them in the error of a failed problem
# only (findings/dwave-cloud-client-solver-offline.sh).
_OFFLINE = re.compile(r"\bsolver\b.*\boffline\b", re.IGNORECASE)
_MAX_TEXT = 300  # characters of a library's message that an error of ours quotes
#: What is said beside each QPU access time of a stand-in.
NOTHING_BILLED = "emulated: estimated, nothing billed"


class QPUBudgetError(RuntimeError):
    """The next call could cost more than is left of the QPU budget; it was not sent."""


class NoAccountError(ConnectionError):
    """No D-Wave account is set up: there is no token in any configuration."""


class ConnectionLost(ConnectionError):  # noqa: N818 (caught by us; users see a ConnectionError)
    """The answer did not come; it may be waiting at D-Wave."""


class SolverGone(ConnectionError):  # noqa: N818
    """The solver is offline or no longer exists; nothing was charged."""


class AnswerGone(ConnectionLost):
    """D-Wave has no problem with the id of a call."""


class ProblemFailed(RuntimeError):  # noqa: N818 (caught by us)
    """D-Wave accepted a problem and did not solve it; nothing was charged."""


class AnswerMalformed(RuntimeError):  # noqa: N818
    """D-Wave's answer to a problem does not read, or does not fit the problem."""


class Failure(NamedTuple):
    """What an exception of Ocean means for a call."""

    error: Exception  #: the exception to raise
    is_void: bool  #: whether the call failed or was not accepted, so that no answer will come


def open_device(solver: object) -> Any:
    """Opens the DWaveSampler for the name or the features of a solver; None: the account's default.

    Raises:
        NoAccountError: without an account.
        ConnectionError: without a network or such a solver, or with a configuration that does not
            read. Both say in one line what to do.
    """
    from dwave.cloud.exceptions import ConfigFileError, SolverAuthenticationError, SolverError
    from dwave.system import DWaveSampler
    from requests.exceptions import RequestException

    choice = {} if solver is None else {"solver": solver}
    try:
        return DWaveSampler(**choice)
    except SolverAuthenticationError:
        raise ConnectionError(
            "D-Wave must know the token, got its refusal; to set up another: dwave setup"
        ) from None
    except SolverError as error:
        text = message_of(error)
        raise ConnectionError(
            f"a D-Wave solver must be reachable, got: {text}; to list them: dwave solvers"
        ) from None
    except RequestException as error:
        text = _without_tokens(reason_of(error), None)
        raise ConnectionError(
            f"{_server_of(error)} must be reachable, got: {text}; check the network, and the "
            "endpoint in: dwave config inspect"
        ) from None
    except (ValueError, ConfigFileError) as error:  # no token, or a profile that does not exist
        kind = ConnectionError if _has_account() else NoAccountError
        raise kind(
            f"a D-Wave account must be set up, got none ({message_of(error)}); to set one up: "
            "dwave setup; --qpu-solver emulated:zephyr, in Python solver='emulated:zephyr', needs "
            "none"
        ) from None


def _has_account() -> bool:
    """Returns whether a token is set up, or a configuration that does not read."""
    from dwave.cloud.config import load_config

    try:
        return bool(load_config().get("token"))
    except Exception:
        return True


def is_stand_in(device: Any) -> bool:
    """Returns whether a device is an emulated chip or a mock, whose calls cost nothing."""
    return not hasattr(device, "client")


def device_name(device: Any) -> str:
    """Returns the name of a device's solver, or of a stand-in."""
    name = getattr(getattr(device, "solver", None), "name", None)
    return str(name or device.properties.get("chip_id", type(device).__name__))


def host(device: Any) -> str | None:
    """Returns the host of the region's server, which keeps the answers; None for a stand-in."""
    config = getattr(getattr(device, "client", None), "config", None)
    return urlsplit(str(getattr(config, "endpoint", ""))).hostname


def failure_of(
    error: Exception, call: Call, device: Any, *, status: object = None, searching: bool = False
) -> Failure:
    """Returns what an exception of Ocean means for a call.

    Only a call without an id can have been refused, as D-Wave returns the id when it accepts a
    call.

    Args:
        error: the exception.
        call: the call that was sent or waited for.
        device: the device of the call.
        status: the status of the problem at D-Wave, as far as it is known.
        searching: whether a call sent earlier was looked for at D-Wave; a refusal of the search
            says nothing about the call.
    """
    from dwave.cloud import exceptions as cloud
    from dwave.cloud.api.exceptions import ResourceAuthenticationError

    text = message_of(error, device)
    code = getattr(error, "error_code", None)
    accepted = call.problem_id is not None
    if isinstance(error, ResourceAuthenticationError):
        return Failure(
            PermissionError(
                f"D-Wave must know the token, got its refusal ({text}); set up another: dwave setup"
            ),
            False,
        )
    if isinstance(error, cloud.SolverNotFoundError) or code == _NOT_FOUND:
        is_answer = accepted and code == _NOT_FOUND
        return Failure(AnswerGone(text) if is_answer else SolverGone(text), False)

    refused = isinstance(error, cloud.SolverFailureError) or (
        code in _CLIENT_ERRORS and code not in _TRY_AGAIN
    )
    if status in NOT_CHARGED or (refused and not accepted and not searching):
        message = f"{call.notes['solver']} did not take problem {call.label}: {text}"
        void = ProblemFailed(text) if status in NOT_CHARGED else RuntimeError(message)
        return Failure(SolverGone(text) if _OFFLINE.search(text) else void, True)
    if _is_malformed(error):
        lost = searching or not (accepted or is_stand_in(device))
        message = f"{type(error).__name__}: {text}"
        return Failure(ConnectionLost(message) if lost else AnswerMalformed(message), False)
    if _means_lost(error):
        return Failure(ConnectionLost(f"{type(error).__name__}: {text}"), False)
    return Failure(error, False)


def _is_malformed(error: Exception) -> bool:
    """Returns whether an exception comes from decoding a reply of D-Wave."""
    from dwave.cloud.api.exceptions import ResourceBadResponseError
    from dwave.cloud.exceptions import SolverFailureError
    from requests.exceptions import RequestException

    # Exceptions of requests for bad URLs or headers are ValueErrors, too.
    if isinstance(error, RequestException):
        return isinstance(error, ResourceBadResponseError | SolverFailureError)
    types = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, MemoryError)
    return isinstance(error, (*types, struct.error))


def _means_lost(error: Exception) -> bool:
    """Returns whether an exception comes from the network."""
    from dwave.cloud.exceptions import PollingTimeout

    return isinstance(error, PollingTimeout | OSError)


def message_of(error: Exception, device: Any = None) -> str:
    """Returns an exception's message in one line, without the token, which it might repeat."""
    return _without_tokens(" ".join(str(error).split()) or type(error).__name__, device)


def _server_of(error: Exception) -> str:
    """Returns the host that a request was sent to, as far as its error says."""
    requests = (getattr(each, "request", None) for each in chain_of(error))
    url = next((each.url for each in requests if each is not None), None)
    return f"D-Wave at {urlsplit(url).hostname}" if url else "D-Wave"


def _without_tokens(text: str, device: Any) -> str:
    """Returns the beginning of a text with all tokens hidden."""
    for secret in _tokens(device):
        text = text.replace(secret, "(token)")
    return text[:_MAX_TEXT]


def _tokens(device: Any) -> list[str]:
    """Returns all tokens that a message could contain."""
    from dwave.cloud.config import load_config

    config = getattr(getattr(device, "client", None), "config", None)
    found = [os.environ.get("DWAVE_API_TOKEN"), getattr(config, "token", None)]
    try:
        found.append(load_config().get("token"))
    except Exception:  # an invalid file is reported when the device is opened
        found.append(None)
    return [token for token in found if token]
