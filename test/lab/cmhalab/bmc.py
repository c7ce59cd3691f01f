"""A host's BMCs: what answers IPMI (lanplus) on the side network, and really cuts its power. Each host has
two.

The keeper starts each, by a Python that has pyghmi: python -m cmhalab.bmc SETTINGS HOST ADDRESS
"""

import json
import sys
import time

from pyghmi.ipmi.bmc import Bmc

from . import orders
from .settings import BMC_PASSWORD, BMC_USER, Settings


class HostsBmc(Bmc):
    """What is asked for over IPMI is the keeper's to do."""

    def __init__(self, lab, host, address):
        super().__init__({BMC_USER: BMC_PASSWORD}, address=address, port=623)
        self.lab, self.host = lab, host

    def get_power_state(self):
        time.sleep(orders.ask(self.lab, "hosts")[self.host]["bmc_takes"])
        return "off" if orders.ask(self.lab, "hosts")[self.host]["state"] == "off" else "on"

    def power_off(self):
        orders.ask(self.lab, "crash", self.host)

    def power_on(self):
        orders.ask(self.lab, "boot", self.host)

    def power_reset(self):
        self.power_off()
        self.power_on()

    power_cycle = power_reset


if __name__ == "__main__":
    settings, *which = sys.argv[1:]
    HostsBmc(Settings.from_dict(json.loads(settings)), *which).listen()
