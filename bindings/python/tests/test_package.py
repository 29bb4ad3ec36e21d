"""The package itself: how it finds its library, and its types."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PACKAGE

import heartwire


def import_with(library: str | None, folder: Path) -> subprocess.CompletedProcess[str]:
    """Imports a copy of the package that has no library beside it."""
    package = folder / "heartwire"
    package.mkdir()
    for module in Path(heartwire.__file__).parent.glob("*.py"):
        (package / module.name).write_text(module.read_text())
    environment = {name: value for name, value in os.environ.items() if name != "HEARTWIRE_LIBRARY"}
    if library is not None:
        environment["HEARTWIRE_LIBRARY"] = library
    command = [sys.executable, "-c", "import heartwire"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_missing_library_says_what_was_tried(tmp_path: Path) -> None:
    result = import_with(None, tmp_path)
    assert "ImportError" in result.stderr
    assert str(tmp_path / "heartwire" / "libheartwire.so") in result.stderr
    assert "HEARTWIRE_LIBRARY" in result.stderr


def test_path_from_the_environment_is_named(tmp_path: Path) -> None:
    result = import_with("/nowhere/libheartwire.so", tmp_path)
    assert "ImportError" in result.stderr
    assert "/nowhere/libheartwire.so" in result.stderr


def test_another_library_is_refused(tmp_path: Path) -> None:
    result = import_with("libc.so.6", tmp_path)
    assert "ImportError: libc.so.6 has no hw_version" in result.stderr


def test_every_public_name_exists() -> None:
    for name in heartwire.__all__:
        assert hasattr(heartwire, name), name


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")
def test_types(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), "--config-file", str(PACKAGE / "pyproject.toml")]
    result = subprocess.run(
        [*command, "src/heartwire", "examples/exchange.py"], cwd=PACKAGE, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
