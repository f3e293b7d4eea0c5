"""models/README.md shows the figures that the cards beside the models have: the rows that `classify card` prints."""

import os
import subprocess
import sys
from pathlib import Path

CLASSIFY = Path(os.environ["CLASSIFYD_BIN"]) / "classify"
MODELS = Path(os.environ["CLASSIFYD_SOURCE"]) / "models"


def main():
    folders = sorted(path.parent for path in MODELS.glob("*/*/card.json"))
    if not folders:
        print("no model has a card")
        return 77
    done = subprocess.run([CLASSIFY, "card", *folders], capture_output=True, text=True, timeout=300)
    if done.returncode:
        print(done.stderr)
        return 1
    shown = set((MODELS / "README.md").read_text().splitlines())
    missing = [line for line in done.stdout.splitlines() if line not in shown]
    print("\n".join(f"models/README.md lacks: {line}" for line in missing) or f"{len(folders)} cards are shown")
    return 1 if missing else 0


sys.exit(main())
