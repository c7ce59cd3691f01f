"""
How a pair's nodes become known to their quorum device: each makes a key and a request, corosync-qnetd's
authority makes a certificate of it.
"""

from cmha_master import HostError, Interrupted, Master


def __virtual__():
    return True


def certify(opts, site, pair, test=False):
    """
    Give a certificate to each node of a pair that has none of its device's authority.

    opts
        The master's configuration.
    site
        The site's name.
    pair
        The pair, as ``cmha.sites`` lists it; ``qnetd`` names the minion that is the device.
    test
        Only say what would be done.

    Returns the return of a state: ``result``, ``changes`` (by host) and ``comment``.
    """
    try:
        changes = _Certification(Master(opts), site, pair).run(test)
    except HostError as trouble:
        if test and isinstance(trouble, Interrupted):
            raise
        return {"result": False, "changes": {}, "comment": str(trouble)}
    hosts = " and ".join(changes)
    if not changes:
        return {"result": True, "changes": {}, "comment": "all nodes have their certificate"}
    if test:
        return {"result": None, "changes": changes, "comment": f"{hosts} would get a certificate"}
    return {"result": True, "changes": changes, "comment": f"{hosts} got a certificate"}


class _Certification:
    def __init__(self, master, site, pair):
        self.master, self.site, self.pair = master, site, pair
        self.cluster, self.qnetd = pair["cluster_name"], pair["qnetd"]
        self.hosts = [node["id"] for node in pair["nodes"]]

    def run(self, test):
        authority = self._authority_so_far() if test else self._authority()
        known = self.master.need(self.hosts, "qdevice.certified", self.cluster, authority)
        lacking = [host for host in self.hosts if not known[host]]
        if not test:
            for host in lacking:
                self._certify(host, authority)
        return {
            host: {"certificate": {"old": None, "new": f"CN={self.cluster}"}} for host in lacking
        }

    def _authority(self):
        if not self._can_tell():
            self.master.sync([self.qnetd])
        return self._ask_qnetd("qnetd.authority")

    def _authority_so_far(self):
        """Nothing where the device has none yet, and nobody's certificate will do; ``None`` where it can't
        tell, and they may."""
        if not self._can_tell():
            return None
        try:
            return self._ask_qnetd("qnetd.authority")
        except Interrupted:
            raise
        except HostError:
            return ""

    def _can_tell(self):
        # preflight gives cmha's modules to a pair's hosts only
        return bool(self._ask_qnetd("sys.list_functions", "qnetd"))

    def _certify(self, host, authority):
        what = f"certify {host} at {self.qnetd}"
        with self.master.told(self.site, self.pair["pair"], "orchestrate", what, [host]):
            request = self._ask(host, "qdevice.request", self.cluster, authority)
            certificate = self._ask_qnetd("qnetd.sign", request, self.cluster)
            self._ask(host, "qdevice.accept", certificate, self.cluster)

    def _ask_qnetd(self, function, *arguments):
        return self._ask(self.qnetd, function, *arguments)

    def _ask(self, host, function, *arguments):
        return self.master.need([host], function, *arguments)[host]
