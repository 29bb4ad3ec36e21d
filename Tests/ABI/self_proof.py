"""Shows that the checks can fail: each is run on something small that breaks its rule."""

import ctypes
import gzip
import pathlib
import subprocess
import tempfile

import checks
import constants
import monitor_page
import preset_page
import property_table

HEADER = """
#include <stdint.h>
typedef struct hw_error { uint32_t struct_size; uint64_t code; } hw_error;
int hw_present(void);
int hw_missing(void);
"""
LIBRARY = "int hw_present(void) { return 1; } int swift_leaked(void) { return 2; }"


class hw_error(ctypes.Structure):
    """A declaration that disagrees with the header above."""

    _fields_ = [("struct_size", ctypes.c_uint32), ("code", ctypes.c_uint32)]


def lacking(check: str, problems: list[str], *expected: str) -> list[str]:
    """The expected problems that a check did not report."""
    return [f'{check} did not report "{problem}"' for problem in expected if problem not in problems]


def prove_constants(directory: pathlib.Path) -> list[str]:
    """Checks two object files that mean different things by one name, in their bytes and in what they point to."""
    for name, number, text in ("one", 1, "yes"), ("two", 2, "no"):
        source = directory / f"{name}.c"
        source.write_text(
            f'long number __asm__("fTv_r") = {number};\n'
            f'struct {{ long type; const char *text; }} text __asm__("fTv0_r") = {{0, "{text}"}};\n'
        )
        subprocess.run(["gcc", "-c", source, "-o", directory / f"{name}.o"], check=True)
    return lacking(
        "disagreements",
        constants.disagreements([directory / "one.o", directory / "two.o"]),
        "fTv_r is one thing in one.o and another in two.o",
        "fTv0_r is one thing in one.o and another in two.o",
    )


def prove_library_checks(directory: pathlib.Path) -> list[str]:
    """Checks a library with a leaked symbol, a missing one, a foreign dependency and no soname."""
    header, source, library = directory / "heartwire.h", directory / "broken.c", directory / "broken.so"
    header.write_text(HEADER)
    source.write_text(LIBRARY)
    subprocess.run(
        ["gcc", "-shared", "-fPIC", source, "-o", library, "-Wl,--no-as-needed", "-lpthread", "-l:libdl.so.2"], check=True
    )
    large = directory / "large.so"
    source.write_text(f"const char hw_filler[{checks.STRIPPED_BYTES_MAX}] = {{1}};")
    subprocess.run(["gcc", "-shared", "-fPIC", source, "-o", large], check=True)

    return [
        *lacking(
            "check_exports",
            checks.check_exports(library, header),
            "swift_leaked is in the library and not in the header",
            "hw_missing is in the header and not in the library",
        ),
        *lacking(
            "check_dependencies",
            checks.check_dependencies(library),
            "it needs libdl.so.2",
            f"its soname is [], not {checks.SONAME}",
        ),
        *([] if checks.check_size(large) else ["check_size accepted a large library"]),
    ]


def prove_source_checks(directory: pathlib.Path) -> list[str]:
    """Checks sources that import what they may not and lack a function, and a header that is not self-contained."""
    sources = directory / "Sources"
    for module, code in {
        "WebSocket": "// import Glibc\npublic import struct Session.Session\n",
        "Heartbeat": "import WebSocket\n",
        "Session": "@testable import Heartwire\n",
        "Heartwire": 'import Foundation\n@_cdecl("hw_present") @implementation\nfunc a() {}\n@_cdecl("hw_missing")\nfunc b() {}\n',
    }.items():
        (sources / module).mkdir(parents=True)
        (sources / module / "File.swift").write_text(code)
    header, bad_header = directory / "heartwire.h", directory / "bad.h"
    bad_header.write_text("enum { HW_LAST, }; uint32_t hw_version(void);\n")

    layers = checks.check_layers(sources)
    return [
        *lacking(
            "check_layers",
            layers,
            "WebSocket/File.swift imports Session",
            "Session/File.swift imports Heartwire",
            "Heartwire/File.swift imports Foundation",
        ),
        *([] if len(layers) == 3 else ["check_layers reported what is allowed"]),
        *lacking(
            "check_implementations",
            checks.check_implementations(sources, header),
            "hw_missing is in the header and not in the sources",
        ),
        *([] if len(checks.check_header(bad_header)) == 3 else ["check_header accepted a header that lacks an include"]),
    ]


def prove_layout_check(directory: pathlib.Path) -> list[str]:
    """Checks a ctypes declaration with a field of another size."""
    structs, checks.STRUCTS = checks.STRUCTS, ("hw_error",)
    try:
        problems = checks.check_layout(directory / "heartwire.h", {"hw_error": hw_error})
    finally:
        checks.STRUCTS = structs
    return lacking("check_layout", problems, "hw_error.code at 4 is in Python and not in C")


def prove_table_check() -> list[str]:
    """Checks a table that lacks a row and has a wrong one."""
    readme = "\n".join([*property_table.TABLE_HEAD, "| `a` |  | 0 .. 2 | A. |", "", "text"])
    problems = property_table.check_table(readme, ["| `a` |  | 0 .. 1 | A. |"])
    return lacking("check_table", problems, "missing: | `a` |  | 0 .. 1 | A. |", "not so: | `a` |  | 0 .. 2 | A. |")


def prove_page_check() -> list[str]:
    """Checks a page whose one preset has another source, and a page without the generated part."""
    preset = {"name": "a", "services": "A", "source": "b", "rule": '{"send":"forbidden"}', "parameters": ""}
    page = "\n".join(preset_page.generated_lines([preset]))
    problems = preset_page.check_page(page, [{**preset, "source": "c"}])
    return [
        *lacking("check_page", problems, "missing: | [`a`](#a) | A |  |  | c |", "not so: | [`a`](#a) | A |  |  | b |"),
        *lacking("check_page", preset_page.check_page("# Presets", []), "the page has no generated part"),
        *(["check_page reported a page that agrees"] if preset_page.check_page(page, [preset]) else []),
    ]


def prove_monitor_check(directory: pathlib.Path) -> list[str]:
    """Checks a page that was changed after it had been compressed."""
    (directory / "monitor.html").write_text("<script>b</script><style></style>")
    (directory / "MonitorPage.swift").write_text("script-src 'sha256-'; style-src 'sha256-'")
    (directory / "monitor.html.gz").write_bytes(gzip.compress(b"<script>a</script><style></style>"))
    overlooked = [] if len(monitor_page.check_page(directory)) == 2 else ["check_page of the monitor accepted a page that was changed"]
    monitor_page.write_page(directory)
    return overlooked + monitor_page.check_page(directory)


def check_the_checks() -> list[str]:
    """Returns the checks that overlook what they are there for."""
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        return [
            *prove_constants(directory),
            *prove_library_checks(directory),
            *prove_source_checks(directory),
            *prove_layout_check(directory),
            *prove_table_check(),
            *prove_page_check(),
            *prove_monitor_check(directory),
        ]
