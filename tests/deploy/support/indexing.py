"""Calls the function of the image with an event, as Lambda calls it: the event in standard input, its answer out."""

import json
import sys

from interlayer.app.stream import handler

json.dump(handler(json.load(sys.stdin), None), sys.stdout)
