#!/usr/bin/env python3
"""The table of the chart's values, made of values.yaml and its comments, in docs/kubernetes.md.

Writes it anew; with --check, exits 1 where the page has another."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
VALUES = ROOT / "helm/holdfast/values.yaml"
PAGE = ROOT / "docs/kubernetes.md"
BEGIN, END = "<!-- values: begin -->\n", "<!-- values: end -->\n"
# Facts about the binaries, not choices: one line for each component is enough.
WHOLE = re.compile(r"components\.\w+\.")


def rows(text: str):
    """The path, default and comment of each value; a mapping's comment goes with the values below it."""
    path: list[str] = []
    comment: list[str] = []
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("#"):
            comment.append(bare.lstrip("# "))
            continue
        key = re.match(r"^( *)([A-Za-z_]+):(?: (.*))?$", line)
        if key:
            indent, name, value = len(key[1]) // 2, key[2], key[3]
            path = [*path[:indent], name]
            yield ".".join(path), value, " ".join(comment)
        if key or not bare:
            comment = []


def table(text: str) -> str:
    lines = ["| value | default | |", "| --- | --- | --- |"]
    for path, value, comment in rows(text):
        if WHOLE.match(path) or (value is None and not comment):
            continue
        cell = f"`{value}`" if value is not None else ""
        lines.append(f"| `{path}` | {cell} | {comment.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    page = PAGE.read_text()
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    wanted = head + BEGIN + table(VALUES.read_text()) + END + tail
    if page == wanted:
        return 0
    if "--check" in sys.argv:
        print("docs/kubernetes.md has not the values of values.yaml: scripts/values-table.py", file=sys.stderr)
        return 1
    PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
