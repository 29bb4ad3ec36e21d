"""
Checks the library file, the header and the layers of the sources.

Usage: check.py [--library LIBHEARTWIRE] [--write]; by default $HEARTWIRE_LIBRARY or the release build.
With --write it first puts the properties and the presets as the library describes them into the README's table and the presets' page, and
compresses the monitor's page for the library.
Prints one line a check, and as last line "N passed, N failed".
"""

import argparse
import ctypes
import importlib
import os
import pathlib
import sys
from collections.abc import Callable

import checks
import constants
import monitor_page
import preset_page
import property_table
from self_proof import check_the_checks

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = ROOT / "include" / "heartwire.h"
SOURCES = ROOT / "Sources"
README = ROOT / "README.md"
PRESETS_PAGE = SOURCES / "Heartbeat" / "Presets" / "README.md"
MONITOR = SOURCES / "Heartwire" / "Monitor"
PYTHON_SOURCES = ROOT / "bindings" / "python" / "src"


def python_structures(library: pathlib.Path) -> dict[str, type[ctypes.Structure]]:
    """The structs as the Python binding declares them; importing it loads the library."""
    os.environ["HEARTWIRE_LIBRARY"] = str(library.resolve())
    sys.path.insert(0, str(PYTHON_SOURCES))
    declarations = importlib.import_module("heartwire._declarations")
    return {struct: getattr(declarations, struct) for struct in checks.STRUCTS}


def described_properties(library: pathlib.Path) -> list[str]:
    """The rows of the table of properties as the library describes them."""
    return property_table.described_rows(ctypes.CDLL(str(library.resolve())), python_structures(library)["hw_property"])


def described_presets(library: pathlib.Path) -> list[preset_page.Preset]:
    """The presets as the library describes them."""
    return preset_page.described_presets(ctypes.CDLL(str(library.resolve())), python_structures(library)["hw_preset"])


def main() -> int:
    """Runs every check."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    default = os.environ.get("HEARTWIRE_LIBRARY", ROOT / ".build" / "release" / "libheartwire.so")
    parser.add_argument("--library", type=pathlib.Path, default=default)
    parser.add_argument("--write", action="store_true", help="bring what is made of something else up to date")
    options = parser.parse_args()
    library = pathlib.Path(options.library)
    if options.write:
        property_table.write_table(README, described_properties(library))
        preset_page.write_page(PRESETS_PAGE, described_presets(library))
        monitor_page.write_page(MONITOR)

    named_checks: dict[str, Callable[[], list[str]]] = {
        "the checks below can fail": check_the_checks,
        "exports are the header's functions": lambda: checks.check_exports(library, HEADER),
        "needs only system libraries, has its soname": lambda: checks.check_dependencies(library),
        "modules agree on shared constants": lambda: constants.disagreements(constants.linked_objects(library)),
        "stripped size": lambda: checks.check_size(library),
        "modules import only lower layers": lambda: checks.check_layers(SOURCES),
        "header compiles alone as C99, C11 and C++17": lambda: checks.check_header(HEADER),
        "every function is an @implementation": lambda: checks.check_implementations(SOURCES, HEADER),
        "structs have the same layout in C and Python": lambda: checks.check_layout(HEADER, python_structures(library)),
        "the README's table has the library's properties": lambda: property_table.check_table(
            README.read_text(), described_properties(library)
        ),
        "the presets' page has the library's presets": lambda: preset_page.check_page(
            PRESETS_PAGE.read_text(), described_presets(library)
        ),
        "the monitor's page is the one that the library holds": lambda: monitor_page.check_page(MONITOR),
    }
    failed = 0
    for name, check in named_checks.items():
        try:
            problems = check()
        # A check that cannot be made, for want of a file or a tool, has failed; the others still say what they find.
        except Exception as error:
            problems = [f"{type(error).__name__}: {error}"]
        failed += bool(problems)
        print("ok    " if not problems else "FAILED", name, flush=True)
        for problem in problems:
            print(f"         {problem}")
    print(f"{len(named_checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
