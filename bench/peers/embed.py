"""Embeds a FASTA file with one peer: `embed.py PEER MODEL FASTA VECTORS [--batch N] [--precision fp32|bf16|int8]`.

Writes the vectors as float32, row by row in the file's order, and prints what it took as JSON. A peer is a module here
with `load(folder, precision, batch)`, which returns a function from a list of sequences to their vectors (or a function that
gives them, which is not timed) and their number of tokens. As ours does, it has embedded one short sequence when it counts
as loaded.
"""

import argparse
import importlib
import json
import os
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("peer")
parser.add_argument("model")
parser.add_argument("fasta")
parser.add_argument("vectors")
parser.add_argument("--batch", type=int, default=1)
parser.add_argument("--precision", default="fp32")
args = parser.parse_args()

started = time.perf_counter()
peer = importlib.import_module(args.peer)
imported = time.perf_counter()
embed = peer.load(args.model, args.precision, args.batch)
embed([peer.SHORT])
loaded = time.perf_counter()

with open(args.fasta) as file:
    sequences = ["".join(record.split("\n")[1:]) for record in file.read().split(">")[1:]]
before, cpu = time.perf_counter(), time.process_time()
vectors, tokens = embed(sequences)
seconds, cpu_seconds = time.perf_counter() - before, time.process_time() - cpu

(vectors() if callable(vectors) else vectors).astype("float32").tofile(args.vectors)
print(json.dumps({
    "importSeconds": imported - started,
    "loadSeconds": loaded - imported,
    "seconds": seconds,
    "cpuSeconds": cpu_seconds,
    "tokens": tokens,
}))
sys.stdout.flush()
os._exit(0)  # The vectors are there: taking Python and PyTorch apart is not part of what is measured.
