"""Runs a command and prints what it took as JSON. Counts the processes that it waited for."""

import json
import resource
import subprocess
import sys
import time

started_at = time.perf_counter()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
seconds = time.perf_counter() - started_at
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({
    "seconds": seconds,
    "cpuSeconds": used.ru_utime + used.ru_stime,
    "peakMB": used.ru_maxrss / 1024,
}))
sys.exit(code)
