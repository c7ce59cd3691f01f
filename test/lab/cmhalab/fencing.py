"""What the lab's pillar says of fencing, where each host has a BMC: docs/fencing.md's own recipe."""

from .settings import BMC_PASSWORD, BMC_USER

_PACKAGES = "[fence-agents, ipmitool]"


def declared(lab, site, password=BMC_PASSWORD, packages=_PACKAGES):
    """The site's pillar, with a device for each host."""
    nodes = "".join(
        f"\n      {host}: {{ip: {lab.bmc_addresses(host)[0]}}}" for host in lab.side_addresses()
    )
    fencing = f"""fencing:
    packages: {packages}
    agent: fence_ipmilan
    params: {{lanplus: true, username: {BMC_USER}, password: "{password}"}}
    nodes:{nodes}
  """
    return site.replace("site: lab", f"{fencing}site: lab", 1)
