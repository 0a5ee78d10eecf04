"""Runs a command and prints what it took, and what it said, as JSON. Counts the processes that it waited for."""

import json
import resource
import subprocess
import sys
import time

started_at = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True)
seconds = time.perf_counter() - started_at
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({
    "seconds": seconds,
    "cpuSeconds": used.ru_utime + used.ru_stime,
    "peakMB": used.ru_maxrss / 1024,
    "output": done.stdout,
}))
sys.exit(done.returncode)
