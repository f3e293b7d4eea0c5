"""docs/preprocessing.md shows the presets as presets.def has them, and --help of import names them."""
import os
import re
import subprocess
import sys

SOURCE = os.environ["CLASSIFYD_SOURCE"]


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


def table_rows():
    """presets.def as the cells of the documentation's table."""
    text = read("engine", "src", "model", "presets.def").split("*/", 1)[1]
    row = r'PRESET\("([^"]+)", (\w+), (\w+), ([\d.]+), (\d+), ([\d. /]+), \(([^)]*)\), \(([^)]*)\),\s*"((?:[^"\\]|\\.)*)"\)'
    for name, color, resize, crop, side, scale, mean, std, text in re.findall(row, text):
        channels = [" ".join(dict.fromkeys(v.split(", "))) if color in ("GRAY", "ANY") else v.replace(",", "")
                    for v in (mean, std)]
        yield [f"`{name}`", "the input's" if color == "ANY" else f"`{color.lower()}`", f"`{resize.lower()}`",
               "" if crop == "0" else crop, "" if side == "0" else side,
               re.sub(r"1\.0 / ", "1/", scale), *channels, text.replace('\\"', '"')]


def main():
    rows = list(table_rows())
    written = [[cell.strip() for cell in line.strip("| \n").split("|")]
               for line in read("docs", "preprocessing.md").split("### Presets")[1].split("###")[0].splitlines()
               if line.startswith("| `")]
    problems = [f"presets.def has {row},\n  the table {found}" for row, found in zip(rows, written) if row != found]
    if len(rows) != len(written) or len(rows) < 6:
        problems.append(f"presets.def has {len(rows)} rows, the table {len(written)}")
    shown = subprocess.run([os.path.join(os.environ["CLASSIFYD_BIN"], "classify"), "import", "--help"],
                           capture_output=True, text=True, check=True).stdout
    problems += [f"classify import --help does not name {row[0]}" for row in rows if row[0].strip("`") not in shown]
    print("\n".join(problems) or f"{len(rows)} presets agree")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
