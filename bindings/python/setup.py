"""Builds the shared library with SwiftPM, or takes the one in HEARTWIRE_LIBRARY, and packs it beside the modules."""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parents[2]
LIBRARY_NAME = "libheartwire.so"


def built_library() -> Path:
    chosen = os.environ.get("HEARTWIRE_LIBRARY")
    if chosen:
        library = Path(chosen)
        if not library.is_file():
            raise SystemExit(f"HEARTWIRE_LIBRARY names {library}, which does not exist.")
        return library
    require_tools()
    command = ["swift", "build", "-c", "release", "--product", "heartwire"]
    print("running", *command, "in", ROOT, flush=True)
    if subprocess.run(command, cwd=ROOT).returncode != 0:
        raise SystemExit(f"The library could not be built: {' '.join(command)} failed in {ROOT}.")
    return ROOT / ".build" / "release" / LIBRARY_NAME


def require_tools() -> None:
    if not (ROOT / "Package.swift").is_file():
        raise SystemExit(
            f"{ROOT} holds no Package.swift. Build from a full checkout, or set HEARTWIRE_LIBRARY to a built {LIBRARY_NAME}."
        )
    if shutil.which("swift") is None:
        raise SystemExit(
            f"heartwire needs the Swift toolchain (swift was not found in PATH). Install it from swift.org, or set "
            f"HEARTWIRE_LIBRARY to a built {LIBRARY_NAME}."
        )
    if not any(Path(folder, "openssl/ssl.h").is_file() for folder in ("/usr/include", "/usr/local/include")):
        raise SystemExit("heartwire needs OpenSSL's headers. Install them: apt-get install libssl-dev.")


class BuildWithLibrary(build_py):
    """An editable install has no copy: it uses HEARTWIRE_LIBRARY at run time too."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib, "heartwire", LIBRARY_NAME)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(built_library(), target)


class PlatformWheel(bdist_wheel):
    """The library is machine code, but of no particular Python."""

    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", sysconfig.get_platform().replace("-", "_").replace(".", "_")


class BinaryDistribution(Distribution):
    def has_ext_modules(self) -> bool:
        return True


setup(cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel}, distclass=BinaryDistribution)
