"""A client of Cloudera Manager that never rests. Runs on the lab's master, as the text of python3 -c, with
the pair's addresses as its arguments.

Ten times a second it asks for a page, on one address after the other until one answers. When its standard
input ends, it prints, as JSON, how often it asked, and each time that it had no answer: when (seconds of the
epoch), and what each address said instead.

An answer that takes more than a second is none: a busy machine alone delays none that long.
"""

import json
import select
import sys
import time
import urllib.request


def trouble(address):
    """What is wrong with the answer of an address; nothing when it is well."""
    try:
        with urllib.request.urlopen(f"http://{address}:7180/", timeout=1) as page:
            return "" if page.status == 200 else f"{address}: {page.status}"
    except OSError as error:
        return f"{address}: {error}"


asked, missed = 0, []
print("asking", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    began = time.time()
    asked += 1
    troubles = []
    for address in sys.argv[1:]:
        troubles.append(trouble(address))
        if not troubles[-1]:
            break
    else:
        missed.append([began, *troubles])
    time.sleep(max(0, began + 0.1 - time.time()))
print(json.dumps({"asked": asked, "missed": missed}))
