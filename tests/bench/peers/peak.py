"""Runs a command, passes its output on, and then prints its peak memory in MiB: peak.py COMMAND ARGUMENT..."""
import resource
import subprocess
import sys

code = subprocess.run(sys.argv[1:]).returncode
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
sys.exit(code)
