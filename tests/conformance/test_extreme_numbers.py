"""Every operator with each of its numbers at extremes is refused or runs: alone, in batches and backwards."""
import os
import random
import subprocess
import sys
import tempfile

try:
    import extreme_onnx
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

N_MODELS, SEED = 3000, 20261123  # of 16000; CLASSIFYD_EXTREMES=all takes them all


def main():
    models = list(extreme_onnx.models())
    if os.environ.get("CLASSIFYD_EXTREMES") != "all":
        models = random.Random(SEED).sample(models, N_MODELS)
    with tempfile.TemporaryDirectory() as folder:
        for i, made in enumerate(models):
            with open(os.path.join(folder, f"{i:05}"), "wb") as file:
                file.write(made.SerializeToString())
        replay = os.path.join(os.environ["CLASSIFYD_BUILD"], "tests", "replay_onnx")
        done = subprocess.run([replay, folder], capture_output=True, text=True, timeout=590, check=False)
    print(done.stdout, done.stderr)
    return 0 if done.returncode == 0 and f"{len(models)} files replayed" in done.stdout else 1


sys.exit(main())
