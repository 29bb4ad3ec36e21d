"""Compiles the simulation, with the pure modules as ordinary optimised Swift, and again with a bug planted in one of them."""

import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / ".build" / "sim"
# Each may use those before it.
MODULES = ["WebSocket", "Heartbeat", "Session"]
SWIFTC = ["swiftc", "-O", "-wmo", "-parse-as-library", "-package-name", "heartwire", "-enforce-exclusivity=unchecked"]


def run(*command: str | pathlib.Path, folder: pathlib.Path) -> None:
    done = subprocess.run([*map(str, command)], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stdout)


def sources(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(folder.rglob("*.swift"))


def is_newer(output: pathlib.Path, inputs: list[pathlib.Path]) -> bool:
    return output.exists() and all(output.stat().st_mtime >= path.stat().st_mtime for path in inputs)


def compile_module(name: str, folder: pathlib.Path, output: pathlib.Path) -> None:
    """From the sources in `folder` to an object in `output`; the modules before it are there or in BUILD."""
    module = ["-module-name", name, "-emit-module", "-emit-module-path", output / f"{name}.swiftmodule"]
    run(*SWIFTC, *module, "-I", output, "-I", BUILD, "-c", *sources(folder), "-o", output / f"{name}.o", folder=output)


def link(objects: list[pathlib.Path], program: pathlib.Path) -> None:
    # Renamed into its place, so that nobody runs a program half written.
    fresh = program.with_name(f"{program.name}-{os.getpid()}")
    run("swiftc", *objects, "-o", fresh, folder=BUILD)
    fresh.rename(program)


def program() -> pathlib.Path:
    """The simulation, compiled as far as it has changed."""
    BUILD.mkdir(parents=True, exist_ok=True)
    before: list[pathlib.Path] = []
    for name in [*MODULES, "Simulation"]:
        folder = HERE if name == "Simulation" else ROOT / "Sources" / name
        target = BUILD / f"{name}.o"
        if not is_newer(target, [*sources(folder), folder, *before]):
            compile_module(name, folder, BUILD)
        before.append(target)
    result = BUILD / "simulation"
    if not is_newer(result, before):
        link(before, result)
    return result


def program_with(name: str, patch: pathlib.Path) -> pathlib.Path:
    """The simulation with a patch applied to a copy of the sources: the modules that it touches are compiled anew, and no others. A patch must
    change what functions do, not what other modules see."""
    folder = BUILD / "bugs" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for module in MODULES:
        shutil.copytree(ROOT / "Sources" / module, folder / "Sources" / module)
    run("patch", "-p1", "--no-backup-if-mismatch", "--fuzz=0", "-i", patch, folder=folder)
    text = patch.read_text()
    objects = []
    for module in MODULES:
        if f"+++ b/Sources/{module}/" in text:
            compile_module(module, folder / "Sources" / module, folder)
            objects.append(folder / f"{module}.o")
        else:
            objects.append(BUILD / f"{module}.o")
    link([*objects, BUILD / "Simulation.o"], folder / "simulation")
    return folder / "simulation"
