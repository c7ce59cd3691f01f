cmha:
  site: lab
  # Its hosts start at the same time: nobody has to wait 20 seconds for a DC that may be there
  pacemaker:
    properties: {dc-deadtime: 2s}
{%- if grains.os_family == 'RedHat' %}
  # RHEL has no crmsh: it comes from elsewhere
  crmsh:
    repository: {name: crmsh, baseurl: 'file:///opt/crmsh', gpgcheck: 0}
{%- endif %}
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
