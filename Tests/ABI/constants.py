"""Whether the modules agree on the constants that they share.

The compiler puts the array literals of a function into objects with numbered names, and may emit the function in several modules: the linker
then keeps one object of each name. It numbers them anew in each module, so a function with two literals can end up with them swapped.
"""

import pathlib
import re
import struct
from collections.abc import Iterator

# "outlined read-only object", as a mangled name ends.
OUTLINED = re.compile(r"Tv\d*_r?$")


SYMBOLS, RELOCATIONS = 2, 4


class ObjectFile:
    """A 64-bit ELF object file, as far as the contents of its symbols go."""

    def __init__(self, path: pathlib.Path) -> None:
        self.data = path.read_bytes()
        (offset,) = struct.unpack_from("<Q", self.data, 40)
        size, count = struct.unpack_from("<HH", self.data, 58)
        # Of each: type, offset in the file, size, link, info.
        self.sections = [struct.unpack_from("<4xI16xQQII", self.data, offset + index * size) for index in range(count)]
        self.symbols: list[tuple[str, int, int, int]] = []
        for section in self.sections:
            if section[0] == SYMBOLS:
                self.symbols = list(self._symbols(section))

    def _contents(self, index: int) -> bytes:
        _, offset, size, _, _ = self.sections[index]
        return self.data[offset : offset + size]

    def _symbols(self, section: tuple[int, ...]) -> Iterator[tuple[str, int, int, int]]:
        """Name, section, offset in it, and size of each."""
        names = self._contents(section[3])
        table = self.data[section[1] : section[1] + section[2]]
        for name, _, _, index, value, size in struct.iter_unpack("<IBBHQQ", table):
            yield text_at(names, name).decode(), index, value, size

    def _targets(self, index: int, start: int, end: int) -> list[tuple[int, bytes]]:
        """What the pointers between two offsets of a section lead to: the text there, or the name of what is defined elsewhere."""
        targets = []
        for kind, offset, size, _, applies_to in self.sections:
            if kind != RELOCATIONS or applies_to != index:
                continue
            for place, info, addend in struct.iter_unpack("<QQq", self.data[offset : offset + size]):
                # The first word leads to the type, which each module may have a copy of.
                if start < place < end:
                    targets.append((place - start, self._target(info >> 32, addend)))
        return sorted(targets)

    def _target(self, symbol: int, addend: int) -> bytes:
        name, index, value, _ = self.symbols[symbol]
        if 0 < index < len(self.sections) and not OUTLINED.search(name):
            return text_at(self._contents(index), value + addend)
        return f"{name}+{addend}".encode()

    def objects(self) -> Iterator[tuple[str, object]]:
        """The outlined objects that are defined here, with their bytes and what these point to."""
        for name, index, value, size in self.symbols:
            if 0 < index < len(self.sections) and OUTLINED.search(name):
                yield name, (self._contents(index)[value : value + size], self._targets(index, value, value + size))


def text_at(table: bytes, start: int) -> bytes:
    """The bytes up to the next NUL."""
    return table[start : table.find(b"\0", start)]


def linked_objects(library: pathlib.Path) -> list[pathlib.Path]:
    """The object files of a library in SwiftPM's build folder; those of earlier builds lie there too."""
    names = (library.resolve().parent / "heartwire.product" / "Objects.LinkFileList").read_text().splitlines()
    return [pathlib.Path(name.strip("'")) for name in names]


def disagreements(paths: list[pathlib.Path]) -> list[str]:
    """The names that stand for different constants in different object files."""
    seen: dict[str, tuple[object, str]] = {}
    problems = []
    for path in paths:
        for name, content in ObjectFile(path).objects():
            known, where = seen.setdefault(name, (content, path.name))
            if known != content:
                problems.append(f"{name} is one thing in {where} and another in {path.name}")
    return problems
