cmha:
  site: lab
  pairs:
    cms:
      role: server
      cluster_name: cmf
      nodes:
        cms1: {nodeid: 1, address: 192.0.2.11}
        cms2: {nodeid: 2, address: 192.0.2.12}
    mgmt:
      role: agent
      cluster_name: mgmt
      nodes:
        mgmt1: {nodeid: 1, address: 192.0.2.21}
        mgmt2: {nodeid: 2, address: 192.0.2.22}
