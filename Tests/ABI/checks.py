"""The rules about the library file, its header and its layers; each function returns the problems it found, none if all is well."""

import ctypes
import pathlib
import re
import subprocess
import tempfile

SONAME = "libheartwire.so.0"
LIBRARIES_ALLOWED = {"libc.so.6", "libm.so.6", "libssl.so.3", "libcrypto.so.3"}
STRIPPED_BYTES_MAX = 800_000
STRUCTS = (
    "hw_error", "hw_message", "hw_event", "hw_property", "hw_preset", "hw_metrics", "hw_delivery", "hw_health", "hw_reply",
)  # fmt: skip

# What each pure module may import. They touch neither clock nor socket, so no system module is among these.
IMPORTS_ALLOWED = {"WebSocket": set(), "Heartbeat": {"WebSocket"}, "Session": {"WebSocket", "Heartbeat"}}
# The outermost module reaches the system through CSystem only; Embedded Swift has none of these.
IMPORTS_FORBIDDEN = {"Heartwire": {"Foundation", "FoundationEssentials", "Glibc", "Musl", "Dispatch"}}

STRICT = ["-Wall", "-Wextra", "-pedantic", "-Werror"]
LANGUAGES = {
    "C99": ["gcc", "-std=c99", "-x", "c"],
    "C11": ["gcc", "-std=c11", "-x", "c"],
    "C++17": ["g++", "-std=c++17", "-x", "c++"],
}


def output_of(*command: str | pathlib.Path) -> str:
    """Runs a tool that must succeed."""
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def without_comments(header: pathlib.Path) -> str:
    """The header's code."""
    return re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.DOTALL)


def declared_functions(header: pathlib.Path) -> set[str]:
    """The names of the functions that the header declares; a type of callbacks is none, though it names what they return."""
    code = re.sub(r"typedef[^;{]*;", "", without_comments(header))
    return set(re.findall(r"\b(hw_\w+)\s*\(", code))


def differences(actual: set[str], expected: set[str], actual_name: str, expected_name: str) -> list[str]:
    """What is in one set and not in the other, as problems."""
    return [f"{name} is in {actual_name} and not in {expected_name}" for name in sorted(actual - expected)] + [
        f"{name} is in {expected_name} and not in {actual_name}" for name in sorted(expected - actual)
    ]


def check_exports(library: pathlib.Path, header: pathlib.Path) -> list[str]:
    """The library exports exactly the functions that the header declares."""
    lines = output_of("nm", "-D", "--defined-only", library).splitlines()
    exported = {line.split()[-1].partition("@")[0] for line in lines}
    return differences(exported, declared_functions(header), "the library", "the header")


def check_dependencies(library: pathlib.Path) -> list[str]:
    """The library needs only system libraries that every Linux with OpenSSL 3 has, and carries its soname."""
    dynamic = output_of("readelf", "-d", "-W", library)
    needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic))
    problems = [
        f"it needs {name}"
        for name in sorted(needed - LIBRARIES_ALLOWED)
        if not re.fullmatch(r"ld-linux[\w.-]*\.so\.\d+", name)
    ]
    sonames = re.findall(r"\(SONAME\).*\[(.+)\]", dynamic)
    if sonames != [SONAME]:
        problems.append(f"its soname is {sonames}, not {SONAME}")
    return problems


def check_size(library: pathlib.Path) -> list[str]:
    """The stripped library is small."""
    with tempfile.TemporaryDirectory() as directory:
        stripped = pathlib.Path(directory) / "stripped.so"
        output_of("strip", "-o", stripped, library)
        size = stripped.stat().st_size
    return [] if size < STRIPPED_BYTES_MAX else [f"it has {size} bytes, {STRIPPED_BYTES_MAX} are too many"]


def imports_of(source: pathlib.Path) -> set[str]:
    """The modules that a Swift file imports."""
    pattern = r"^[ \t]*(?:@\S+\s+)*(?:\w+\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)"
    code = re.sub(r"//.*", "", source.read_text())
    return set(re.findall(pattern, code, re.MULTILINE))


def check_layers(sources: pathlib.Path) -> list[str]:
    """Each module imports only the layers below it."""
    problems = []
    for module in (*IMPORTS_ALLOWED, *IMPORTS_FORBIDDEN):
        files = sorted((sources / module).rglob("*.swift"))
        if not files:
            problems.append(f"{module} has no sources")
        for file in files:
            imports = imports_of(file)
            wrong = imports - IMPORTS_ALLOWED[module] if module in IMPORTS_ALLOWED else imports & IMPORTS_FORBIDDEN[module]
            problems += [f"{file.relative_to(sources)} imports {name}" for name in sorted(wrong)]
    return problems


def check_header(header: pathlib.Path) -> list[str]:
    """The header compiles alone, without warnings, in every language that may include it."""
    problems = []
    for language, compiler in LANGUAGES.items():
        # Included from another file, as users do, so that the compiler takes it for a header.
        result = subprocess.run(
            [*compiler, *STRICT, "-fsyntax-only", "-I", str(header.parent), "-"],
            input=f'#include "{header.name}"\nint main(void) {{ return 0; }}\n',
            capture_output=True,
            text=True,
        )
        if result.returncode != 0:
            problems.append(f"as {language}: {result.stderr.strip().splitlines()[0]}")
    return problems


def check_implementations(sources: pathlib.Path, header: pathlib.Path) -> list[str]:
    """
    Every declared function is an `@_cdecl("name") @implementation` in Swift.

    With `@implementation` the compiler itself compares the Swift signature with the header's declaration.
    """
    implemented: list[str] = []
    for file in sources.rglob("*.swift"):
        code = file.read_text()
        implemented += re.findall(r'@_cdecl\("(\w+)"\)\s+@implementation\b', code)
        implemented += re.findall(r'@implementation\s+@_cdecl\("(\w+)"\)', code)
    return differences(set(implemented), declared_functions(header), "the sources", "the header")


def struct_fields(header: pathlib.Path, struct: str) -> list[str]:
    """The names of a struct's fields in the header."""
    body = re.search(rf"typedef struct {struct} \{{(.*?)\}} {struct};", without_comments(header), re.DOTALL)
    if body is None:
        raise ValueError(f"{header} does not define {struct}")
    return re.findall(r"(\w+)(?:\[\d+\])?;", body.group(1))


def c_layout(header: pathlib.Path) -> dict[str, int]:
    """Asks the C compiler for the size of each struct and the offset of each of its fields."""
    prints = []
    for struct in STRUCTS:
        prints.append(f'printf("{struct} %zu\\n", sizeof({struct}));')
        for field in struct_fields(header, struct):
            prints.append(f'printf("{struct}.{field} %zu\\n", offsetof({struct}, {field}));')
    program = f'#include "{header.name}"\n#include <stddef.h>\n#include <stdio.h>\nint main(void) {{ {" ".join(prints)} return 0; }}\n'
    with tempfile.TemporaryDirectory() as directory:
        source, executable = pathlib.Path(directory) / "layout.c", pathlib.Path(directory) / "layout"
        source.write_text(program)
        output_of("gcc", "-std=c11", "-I", header.parent, source, "-o", executable)
        lines = output_of(executable).splitlines()
    return {name: int(number) for name, number in map(str.split, lines)}


def ctypes_layout(structures: dict[str, type[ctypes.Structure]]) -> dict[str, int]:
    """The same facts as Python has them."""
    layout = {}
    for struct, structure in structures.items():
        layout[struct] = ctypes.sizeof(structure)
        for field in structure._fields_:
            layout[f"{struct}.{field[0]}"] = getattr(structure, field[0]).offset
    return layout


def check_layout(header: pathlib.Path, structures: dict[str, type[ctypes.Structure]]) -> list[str]:
    """Python's declarations of the public structs have the layout that C has."""
    in_c = {f"{name} at {number}" for name, number in c_layout(header).items()}
    in_python = {f"{name} at {number}" for name, number in ctypes_layout(structures).items()}
    return differences(in_python, in_c, "Python", "C")
