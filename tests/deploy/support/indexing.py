"""Calls the function of the image as Lambda calls a warm one: an event a line in standard input, answers out."""

import json
import sys

from interlayer.app.stream import handler

for event in sys.stdin:
    sys.stdout.write(json.dumps(handler(json.loads(event), None)) + "\n")
    sys.stdout.flush()
