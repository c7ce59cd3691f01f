"""Applies a configuration of its own, another one each time, as highstates would. Runs on a host of the lab.

    python - HOST ROUNDS ENOUGH < test/lab/rounds.py

So many rounds, and as many more as it takes until the file ENOUGH exists; says how many it were.
Ends with the first result that isn't what was asked for.
"""

import itertools
import os
import sys

import salt.client
import salt.config

host, rounds, enough = sys.argv[1], int(sys.argv[2]), sys.argv[3]
opts = salt.config.minion_config("/etc/salt/minion")
opts["file_client"] = "local"
caller = salt.client.Caller(mopts=opts)
for number in itertools.count(1):
    returned = caller.cmd(
        "state.single",
        "crm.configured",
        name="rounds",
        properties={f"salt-{host}": number},
        allow_unknown=[f"salt-{host}"],
        primitives={
            f"by-salt-{host}": {
                "agent": "ocf:pacemaker:Dummy",
                "meta": {"target-role": "Stopped", "priority": number},
            }
        },
    )
    (state,) = returned.values()
    if state["result"] is not True or not state["changes"]:
        sys.exit(f"{host}, round {number}: {state}")
    if number >= rounds and os.path.exists(enough):
        break
print(number)
