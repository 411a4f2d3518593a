"""Objects whose constructor checks its arguments once, and keeps them out of reach."""

from __future__ import annotations

from inspect import Parameter, signature


class KeptArguments:
    """Refuses to assign an argument of the constructor afterwards, which would change nothing.

    These are the arguments of the class that derives from this one; what its subclasses add is
    theirs. Attributes and properties that a class declares may be assigned, whatever their name.
    """

    def __setattr__(self, name: str, value: object) -> None:
        """Sets an attribute that is no argument of the constructor.

        Raises:
            AttributeError: for one that is, with the way to change it.
        """
        if not name.startswith("_") and not _declares(type(self), name):
            owner = next(kind for kind in type(self).__mro__ if KeptArguments in kind.__bases__)
            if _takes(owner, name):
                is_settable = hasattr(self, "set_params")
                advice = f"call set_params({name}=...)" if is_settable else "make a new one"
                raise refusal(owner, name, value, advice)

        super().__setattr__(name, value)


def refusal(owner: type, name: str, value: object, advice: str) -> AttributeError:
    """Returns the error for a value that is assigned to an argument of a finished object."""
    return AttributeError(
        f"{name} must stay as it was given to {owner.__name__}(), got {value!r}: {advice}"
    )


def _declares(kind: type, name: str) -> bool:
    return hasattr(kind, name) or any(
        name in vars(each).get("__annotations__", {}) for each in kind.__mro__
    )


def _takes(kind: type, name: str) -> bool:
    arguments = signature(kind).parameters
    is_open_ended = any(each.kind is Parameter.VAR_KEYWORD for each in arguments.values())
    return is_open_ended or name in arguments
