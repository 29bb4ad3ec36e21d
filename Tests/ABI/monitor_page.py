"""The monitor's page as the library holds it: compressed, and with the hashes of its script and style."""

import base64
import gzip
import hashlib
import pathlib
import re

# In a Swift file, between quotes.
HASH = r"'sha256-[A-Za-z0-9+/=]*'"


def source_of(page: str, tag: str) -> str:
    """The hash of what stands in an element, as Content Security Policy names it."""
    [text] = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def policy(swift: str, page: str) -> str:
    """The Swift file with the hashes that the page has."""
    for tag in ("script", "style"):
        swift = re.sub(f"{tag}-src {HASH}", lambda _, tag=tag: f"{tag}-src {source_of(page, tag)}", swift)
    return swift


def check_page(folder: pathlib.Path) -> list[str]:
    """In what the compressed page and the policy differ from the page."""
    page, swift = (folder / "monitor.html").read_text(), (folder / "MonitorPage.swift").read_text()
    problems = []
    if gzip.decompress((folder / "monitor.html.gz").read_bytes()) != page.encode():
        problems.append("monitor.html.gz is not monitor.html: run Tests/ABI/check.py --write")
    if policy(swift, page) != swift or len(re.findall(HASH, swift)) != 2:
        problems.append("MonitorPage.swift has not the hashes of monitor.html: run Tests/ABI/check.py --write")
    return problems


def write_page(folder: pathlib.Path) -> None:
    """Brings both up to date. Compressors differ: what holds the page already is left as it is."""
    page, compressed, swift = (folder / "monitor.html").read_text(), folder / "monitor.html.gz", folder / "MonitorPage.swift"
    if not compressed.exists() or gzip.decompress(compressed.read_bytes()) != page.encode():
        compressed.write_bytes(gzip.compress(page.encode(), 9, mtime=0))
    swift.write_text(policy(swift.read_text(), page))
