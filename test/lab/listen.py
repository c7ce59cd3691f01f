"""Prints what comes on the master's event bus, as JSON. Runs on the lab's master, with Salt's Python.

    python listen.py TAG

First comes an empty line: from then on no event is missed whose tag begins so. Ends when it is killed.
"""

import json
import sys

import salt.config
import salt.utils.event

tag = sys.argv[1]
opts = salt.config.master_config("/etc/salt/master")
with salt.utils.event.get_event("master", opts=opts, listen=True) as bus:
    bus.connect_pub()
    print(flush=True)
    while True:
        event = bus.get_event(tag=tag, wait=60, full=True)
        if event:
            print(json.dumps(event), flush=True)
