"""One JSON line in, one JSON line out: how a bench talks to a Python peer. What a library prints goes to stderr."""

import json
import logging
import os
import sys
import time
import warnings

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
_out = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)


def reply(message):
    _out.write(json.dumps(message) + "\n")
    _out.flush()


def require(*names):
    """Imports the named packages and returns their versions; says which is missing and ends."""
    versions = {"python": sys.version.split()[0]}
    for name in names:
        try:
            versions[name] = __import__(name).__version__
        except Exception as error:  # an import can fail in any way
            reply({"missing": f"{name}: {error}"})
            sys.exit(0)
    if "transformers" in versions:
        sys.modules["transformers"].utils.logging.disable_progress_bar()
    return versions


def serve(versions, **calls):
    """Answers calls until the input ends."""
    reply({"ready": versions})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply({"answer": calls[request.pop("call")](**request)})
        except Exception as error:  # told to the bench, which decides
            reply({"error": f"{type(error).__name__}: {error}"})


def milliseconds(run, seconds, least=3):
    """Times of `run`, over the given seconds and at least so many."""
    times, began = [], time.perf_counter()
    while time.perf_counter() - began < seconds or len(times) < least:
        before = time.perf_counter()
        run()
        times.append((time.perf_counter() - before) * 1000)
    return times
