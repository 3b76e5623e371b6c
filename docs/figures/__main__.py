"""Draws the guide's figures: python docs/figures [folder]. Each script beside this one gives a figure of its name."""

import importlib
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in {"__main__", "paper"})


def main(folder: Path) -> None:
    """Draw every figure into `folder`, as SVG."""
    sys.path.insert(0, str(HERE))
    os.environ["SOURCE_DATE_EPOCH"] = "0"  # no file tells when it was drawn
    for name in NAMES:
        importlib.import_module(name).draw(folder / f"{name}.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
