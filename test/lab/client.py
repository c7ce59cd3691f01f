"""A client of Cloudera Manager that never rests. Runs on the lab's master, as the text of python3 -c, with
the pair's addresses as its arguments.

Ten times a second it asks for a page, on one address after the other until one answers. When its standard
input ends, it prints, as JSON, how often it asked, and when (seconds of the epoch) it had no answer.
"""

import json
import select
import sys
import time
import urllib.request


def answers(address):
    try:
        with urllib.request.urlopen(f"http://{address}:7180/", timeout=1) as page:
            return page.status == 200
    except OSError:
        return False


asked, missed = 0, []
print("asking", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    began = time.time()
    asked += 1
    if not any(answers(address) for address in sys.argv[1:]):
        missed.append(began)
    time.sleep(max(0, began + 0.1 - time.time()))
print(json.dumps({"asked": asked, "missed": missed}))
