"""Writes the chart's Grafana dashboards; with --check, exits 1 where a file is another.

    python3 scripts/dashboards [--check]"""

import json
import pathlib
import sys

import commerce
import fleet
import mesh
import postgres

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "helm/holdfast/dashboards"


def main() -> int:
    stale = []
    for module in (fleet, mesh, commerce, postgres):
        file = FOLDER / f"{module.__name__}.json"
        text = json.dumps(module.DASHBOARD, indent=1, ensure_ascii=False) + "\n"
        if not file.exists() or file.read_text() != text:
            stale.append(file)
            if "--check" not in sys.argv:
                file.write_text(text)
    if stale and "--check" in sys.argv:
        print("not what scripts/dashboards says:", *(file.name for file in stale), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
