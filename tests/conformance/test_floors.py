"""Includes go downwards only, third-party headers stay in their homes, files stay short (docs/architecture.md).

Every violation is printed as file:line. Before the tree itself is judged, a made-up tree with one violation
of each kind is: the rules must find them all."""

import fnmatch
import os
import re
import sys
import tempfile
from pathlib import Path

# Folder: the folders it may see besides itself. Who stands on a floor sees all the floors below.
ENGINE_BASE = ["base"]
ENGINE_ONE = ENGINE_BASE + ["kernels", "image"]
ENGINE_TWO = ENGINE_ONE + ["ops"]
ENGINE_THREE = ENGINE_TWO + ["graph", "onnx"]
ENGINE = {
    "base": [],
    "kernels": ENGINE_BASE,
    "image": ENGINE_BASE,
    "ops": ENGINE_ONE,
    "graph": ENGINE_TWO,
    "onnx": ENGINE_TWO,
    "model": ENGINE_THREE,
    "train": ENGINE_THREE + ["model"],  # it writes model files and reads them back
    "explain": ENGINE_THREE + ["model"],  # it runs models, and their gradients
}
SERVER = {
    "base": [],
    "serve": ["base"],
    "api": ["base", "serve"],
    "http": ["base", "serve", "api"],
}
# Public headers stand on the floor of the folder that implements them.
PUBLIC = {
    "status.h": "base",
    "tensor.h": "base",
    "pool.h": "base",
    "control_group.h": "base",
    "cpu.h": "kernels",
    "tuning.h": "kernels",
    "image.h": "image",
    "preprocess.h": "image",
    "model.h": "model",
    "session.h": "model",
    "train.h": "train",
    "explain.h": "explain",
}
# Third-party header: the files that may include it.
HOMES = {
    "png.h": ["engine/src/image/codec_png*", "engine/src/image/encode_png.c"],
    "jpeglib.h": ["engine/src/image/codec_jpeg*"],
    "jerror.h": ["engine/src/image/codec_jpeg*"],
    "zlib.h": ["engine/src/base/gzip.c", "server/src/http/compress.c"],
    "nettle/base64.h": ["engine/src/base/base64.c", "server/src/api/base64.c"],
    "nettle/sha2.h": ["engine/src/base/digest.c", "server/src/base/keys.c"],
    "protobuf-c/*": ["engine/src/onnx/*"],
    "onnx.pb-c.h": ["engine/src/onnx/*"],
    "jansson.h": [
        "engine/src/base/json.h",
        "engine/tools/*",
        "server/src/base/config*",
        "server/src/api/pictures_*",
    ],
    "microhttpd.h": ["server/src/http/*"],
    "gnutls/*": ["server/src/http/tls*"],
}
SYSTEM = re.compile(
    r"(arpa|net|netinet|sys)/\w+\.h|"
    r"(assert|ctype|dirent|errno|fcntl|fenv|float|ftw|getopt|immintrin|inttypes|limits|malloc|math|netdb|poll|"
    r"pthread|sched|setjmp|signal|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|"
    r"termios|tgmath|time|unistd|wchar)\.h"
)
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
MAX_LINES = 600


def home_problem(path, header):
    """What is wrong with including a header that is not ours, or None."""
    for pattern, homes in HOMES.items():
        if fnmatch.fnmatch(header, pattern):
            if any(fnmatch.fnmatch(path, home) for home in homes):
                return None
            return f"{header} has its home in {', '.join(homes)}"
    if SYSTEM.fullmatch(header):
        return None
    return f"{header} is no header of ours or the C library's, and has no home in this test"


def folder_problem(path, header, tree):
    """What is wrong with a quoted include, or None. path: engine/src/ops/conv.c and the like."""
    parts = path.split("/")
    engine = parts[0] == "engine"
    top = parts[1] in ("tools", "include") or len(parts) == 3  # tools, public headers, server/src/main.c
    floors = ENGINE if engine else SERVER
    folder = None if top else parts[2]
    if not top and folder not in floors:
        return f"folder {'/'.join(parts[:3])} stands on no floor in this test"
    if header.startswith("engine/"):
        name = header.removeprefix("engine/")
        if name not in PUBLIC:
            return f"{header} stands on no floor in this test"
        if not engine or top or PUBLIC[name] == folder or PUBLIC[name] in floors[folder]:
            return None
        return f"{folder} stands below {PUBLIC[name]}, which implements {header}"
    if parts[1] == "include":
        return f"a public header sees {header}, which is not public"
    if "/" not in header:
        beside = f"{path.rsplit('/', 1)[0]}/{header}"
        return None if beside in tree else home_problem(path, header)
    other = header.split("/")[0]
    if f"{parts[0]}/src/{header}" not in tree:
        return f"{header} is not in {parts[0]}/src"
    if top or other == folder or other in floors[folder]:
        return None
    return f"{folder} does not stand above {other}"


def violations(root):
    """Every violation in engine/ and server/ as (place, sentence)."""
    suffixes = (".c", ".h", ".def", ".inc")
    tree = {
        str(p.relative_to(root)): p
        for top in ("engine", "server")
        for p in sorted((root / top).rglob("*"))
        if p.suffix in suffixes
    }
    found = []
    for path, file in tree.items():
        lines = file.read_text().splitlines()
        if len(lines) > MAX_LINES:
            found.append((f"{path}:{len(lines)}", f"more than {MAX_LINES} lines"))
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quoted, header = match[1] == '"', match[2]
            problem = folder_problem(path, header, tree) if quoted else home_problem(path, header)
            if problem:
                found.append((f"{path}:{number}", problem))
    return found, len(tree)


# Path: contents, and whether line 1 is a violation.
MADE_UP = {
    "engine/include/engine/model.h": ('#include "engine/status.h"', False),
    "engine/include/engine/status.h": ('#include "base/error.h"', True),
    "engine/include/engine/other.h": ("", False),
    "engine/src/base/error.h": ('#include "engine/status.h"', False),
    "engine/src/base/error.c": ('#include "engine/model.h"', True),
    "engine/src/base/mem.c": ('#include "kernels/gemm.h"', True),
    "engine/src/base/new.c": ('#include "engine/other.h"', True),
    "engine/src/base/gzip.c": ("#include <zlib.h>", False),
    "engine/src/kernels/gemm.h": ('  #  include "base/error.h"', False),
    "engine/src/kernels/gemm.c": ("#include <math.h>", False),
    "engine/src/kernels/bad.c": ("#include <png.h>", True),
    "engine/src/image/scale.c": ('#include "kernels/gemm.h"', True),
    "engine/src/ops/conv.c": ('#include "kernels/gemm.h"', False),
    "engine/src/graph/plan.h": ('#include "base/error.h"', False),
    "engine/src/onnx/read.c": ('#include "graph/plan.h"', True),
    "engine/src/onnx/write.c": ('#include "onnx.pb-c.h"', False),
    "engine/src/model/card.h": ('#include "graph/plan.h"', False),
    "engine/src/base/json.h": ("#include <jansson.h>", False),
    "engine/src/model/card.c": ("#include <jansson.h>", True),
    "engine/src/model/fit.c": ('#include "train/loss.h"', True),
    "engine/src/train/loss.h": ('#include "model/card.h"', False),
    "engine/src/train/gone.c": ('#include "model/absent.h"', True),
    "engine/src/attic/old.c": ('#include "base/error.h"', True),
    "engine/src/graph/curl.c": ("#include <curl/curl.h>", True),
    "engine/tools/main.c": ('#include "train/loss.h"', False),
    "engine/tools/long.c": ("\n" * (MAX_LINES + 1), True),
    "server/src/main.c": ('#include "http/http.h"', False),
    "server/src/http/http.h": ("#include <microhttpd.h>", False),
    "server/src/api/route.h": ('#include "http/http.h"', True),
    "server/src/api/reply.c": ("#include <microhttpd.h>", True),
    "server/src/serve/job.c": ('#include "base/error.h"', True),  # the engine's, not the server's
    "server/src/serve/job.h": ('#include "engine/model.h"', False),
}


def self_check():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, (text, _) in MADE_UP.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text + "\n")
        found = {place.split(":")[0] for place, _ in violations(root)[0]}
        wanted = {path for path, (_, bad) in MADE_UP.items() if bad}
        for path in sorted(found ^ wanted):
            print(f"self check: {path} is {'found' if path in found else 'not found'}, wrongly")
        return found == wanted


def main():
    if not self_check():
        return 1
    root = Path(os.environ.get("CLASSIFYD_SOURCE", Path(__file__).parents[2]))
    found, n_files = violations(root)
    for place, problem in found:
        print(f"{place}: {problem}")
    print(f"{n_files} files, {len(found)} violations")
    return 1 if found or n_files < 50 else 0


sys.exit(main())
