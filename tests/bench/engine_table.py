"""The tables of engine.py, as Markdown, and their place in the documents."""
import math
import statistics

BEGIN, END = "<!-- tests/bench/engine.sh --write: begin -->", "<!-- tests/bench/engine.sh --write: end -->"


def markdown(head, rows):
    """Columns padded, numbers to the right, so that it reads well unrendered too."""
    rows = [head] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]

    def line(row):
        cells = [cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))]
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return "\n".join([line(rows[0]), rule] + [line(row) for row in rows[1:]])


def digits(value):
    """Three or four digits that count."""
    return f"{value:.0f}" if value >= 1000 else f"{value:.1f}" if value >= 100 else f"{value:.2f}" if value >= 1 \
        else f"{value:.4f}"


def ratio(r, key="ms"):
    return r["theirs"][key] / r["ours"][key]


def speed(results, peak):
    rows = []
    for r in results:
        ours, theirs = r["ours"], r["theirs"]
        share = r["flops"] / ours["cpu_ms"] * 1e-6 / peak
        rows.append([r["model"], r["threads"], r["batch"], digits(ours["ms"]), digits(theirs["ms"]),
                     f"{ratio(r):.2f}", digits(ours["best_ms"]), digits(theirs["best_ms"]), digits(ours["cpu_ms"]),
                     digits(theirs["cpu_ms"]), f"{ratio(r, 'cpu_ms'):.2f}", f"{r['flops'] / ours['ms'] * 1e-6:.1f}",
                     f"{100 * share:.0f} %", f"{r['difference']:.0e}"])
    return markdown(["model", "threads", "batch", "ms", "ORT ms", "ratio", "best ms", "ORT best", "CPU ms", "ORT CPU",
                     "CPU ratio", "GFLOP/s", "of sgemm", "difference"], rows)


def loading(results):
    """Of one thread and a batch of 1: to the first answer, and the most memory that was resident."""
    rows = [[r["model"], f"{r['weights_mib']:.1f}"]
            + [f"{r[who][key]:.{places}f}" for key, places in (("first_answer_ms", 1), ("first_answer_cpu_ms", 1),
                                                               ("peak_mib", 0)) for who in ("ours", "theirs")]
            for r in results if r["threads"] == 1 and r["batch"] == 1]
    return markdown(["model", "file MiB", "first answer ms", "ORT ms", "CPU ms", "ORT CPU", "peak MiB", "ORT MiB"],
                    rows) if rows else ""


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def verdict(reached, wanted):
    if not wanted:
        return ""
    return "reached" if reached >= wanted else f"{100 * (1 - reached / wanted):.0f} % short"


def goals(sets, results):
    rows = []
    for s in sets:
        mine = [r for r in results if r["set"] == s.title]
        for threads, batch in sorted({(r["threads"], r["batch"]) for r in mine}, key=lambda tb: (tb[1], tb[0])):
            group = [r for r in mine if (r["threads"], r["batch"]) == (threads, batch)]
            lowest, mean = min(group, key=ratio), geometric_mean(map(ratio, group))
            rows.append([s.title, threads, batch, len(group), f"{ratio(lowest):.2f} ({lowest['model']})",
                         s.must or "-", verdict(ratio(lowest), s.must), f"{mean:.2f}", s.aim or "-",
                         verdict(mean, s.aim), f"{geometric_mean(ratio(r, 'cpu_ms') for r in group):.2f}"])
    return markdown(["set", "threads", "batch", "models", "lowest ratio", "must", "", "geometric mean", "aim", "",
                     "of CPU ratios"], rows)


def write(path, text):
    """Puts the text between the markers of a document."""
    with open(path) as file:
        document = file.read()
    if document.count(BEGIN) != 1 or document.count(END) != 1:
        raise SystemExit(f"{path}: one line '{BEGIN}' and one line '{END}' are wanted")
    before, rest = document.split(BEGIN)
    after = rest.split(END)[1]
    with open(path, "w") as file:
        file.write(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
