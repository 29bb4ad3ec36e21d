"""How the C tests are built and run under a sanitizer: with the Swift toolchain's clang and runtime, because a program has one runtime of a
sanitizer, which it shares with a library from `swift build --sanitize`.
"""

import json
import pathlib
import subprocess

NAMES = ["address", "thread"]
# A test looks at the signals' handlers, so they are left alone, by the Swift runtime too. The library's threads and its caches live as long as
# the process, which the leak checker takes for leaks. Tests fork, and the child may open connections.
SIGNALS = "handle_segv=0:handle_sigbus=0:handle_sigfpe=0"


def runtime_folder() -> pathlib.Path:
    """Where the Swift toolchain has the libraries that a debug build needs."""
    info = subprocess.run(["swiftc", "-print-target-info"], check=True, capture_output=True, text=True).stdout
    return pathlib.Path(json.loads(info)["paths"]["runtimeLibraryPaths"][0])


def compiler(sanitizer: str) -> list[str]:
    """The compiler with its flags."""
    return [str(runtime_folder().parents[2] / "bin" / "clang"), f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all"]


def linker_flags() -> list[str]:
    return [f"-L{runtime_folder()}", "-Wl,--no-as-needed", "-ldispatch", "-lBlocksRuntime"]


def environment() -> dict[str, str]:
    """What the programs need beside the environment."""
    return {
        "LD_LIBRARY_PATH": str(runtime_folder()),
        "ASAN_OPTIONS": f"detect_leaks=0:{SIGNALS}",
        "TSAN_OPTIONS": f"die_after_fork=0:{SIGNALS}",
        "SWIFT_BACKTRACE": "enable=no",
    }
