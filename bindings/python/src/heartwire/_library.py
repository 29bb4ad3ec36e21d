"""Finds and loads the shared library."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from ._declarations import FUNCTIONS, HW_VERSION

FILE_NAME = "libheartwire.so"
ENVIRONMENT_VARIABLE = "HEARTWIRE_LIBRARY"


def load() -> ctypes.CDLL:
    """Loads the library and declares its functions; ImportError names every place that was tried."""
    failures: list[str] = []
    for path in _candidates():
        try:
            library = ctypes.CDLL(path)
        except OSError as error:
            failures.append(f"{path} ({error})")
            continue
        _declare(library, path)
        return library
    raise ImportError(
        f"heartwire found no {FILE_NAME}; tried {'; '.join(failures)}. Install the package with pip, which builds the "
        f"library, or set {ENVIRONMENT_VARIABLE} to the path of a built one"
    )


def _candidates() -> list[str]:
    """A path from the environment excludes the packaged file, so that a developer never tests the wrong library unawares."""
    chosen = os.environ.get(ENVIRONMENT_VARIABLE)
    return [chosen] if chosen else [str(Path(__file__).with_name(FILE_NAME))]


def _declare(library: ctypes.CDLL, path: str) -> None:
    for name, (result, parameters) in FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise ImportError(f"{path} has no {name}; it is not the Heartwire library that this package was made for") from None
        function.restype = result
        function.argtypes = parameters
    version: int = library.hw_version()
    if version >> 24 != HW_VERSION >> 24 or version < HW_VERSION:
        raise ImportError(f"{path} has version {version:#010x}; this package needs {HW_VERSION:#010x} or a later one of the same major")


library = load()
