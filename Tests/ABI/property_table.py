"""The table of properties in the README, made from what the library says of itself."""

import ctypes
import pathlib
from typing import Any

TABLE_HEAD = ["| property | default | range | what it is |", "| --- | --- | --- | --- |"]


def described_rows(library: ctypes.CDLL, structure: type[ctypes.Structure]) -> list[str]:
    """One row a property, in the library's order."""
    rows = []
    described: Any = structure(ctypes.sizeof(structure))
    while library.hw_config_describe(ctypes.c_size_t(len(rows)), ctypes.byref(described)) == 0:
        name, default, values, doc = (
            getattr(described, field).decode().replace("|", "\\|") for field in ("name", "default_value", "range", "doc")
        )
        rows.append(f"| `{name}` | {f'`{default}`' if default else ''} | {values} | {doc} |")
    return rows


def check_table(readme: str, rows: list[str]) -> list[str]:
    """The rows in which the README differs from the library."""
    lines = readme.splitlines()
    if TABLE_HEAD[0] not in lines:
        return ["the README has no table of properties"]
    start = lines.index(TABLE_HEAD[0]) + len(TABLE_HEAD)
    end = next((at for at in range(start, len(lines)) if not lines[at].startswith("|")), len(lines))
    written = lines[start:end]
    if written == rows:
        return []
    missing = [f"missing: {row}" for row in rows if row not in written]
    wrong = [f"not so: {row}" for row in written if row not in rows]
    return missing + wrong or ["the rows stand in another order than the library's"]


def write_table(readme: pathlib.Path, rows: list[str]) -> None:
    """Puts the library's rows into the README."""
    lines = readme.read_text().splitlines()
    start = lines.index(TABLE_HEAD[0]) + len(TABLE_HEAD)
    end = next(at for at in range(start, len(lines)) if not lines[at].startswith("|"))
    readme.write_text("\n".join(lines[:start] + rows + lines[end:]) + "\n")
