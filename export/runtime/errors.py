"""What is wrong and what to do about it: the errors, and the packages that may not be installed."""

import importlib
import importlib.util

try:
    import numpy as np
except ImportError:  # reported by load(), with what to install
    np = None

MEND = "build it again with `python -m export build RUN`, or copy the whole bundle again"


class BundleError(ValueError):
    """A bundle that cannot be used: what is wrong with it, what was wanted and how to mend it."""


class InputError(ValueError):
    """A text, recording or picture that is refused before the model sees it, and why."""


class InputWarning(UserWarning):
    """An input that the model reads, though it is not such as it was trained on, and why."""


def package(module, name):
    """Imports a module of the package `name`, or says what to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"the package {name} is needed ({one_line(error)}): pip install {name}") from error


def is_installed(module):
    """Whether a module could be imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False


def one_line(error):
    """An error's text, short and on one line."""
    return " ".join(str(error).split())[:200]


def short(value):
    """A value as a message shows it."""
    text = repr(value)
    return text if len(text) <= 80 else text[:76] + " ..."
