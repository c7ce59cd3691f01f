#!jinja|yaml
# Guide, "Verify that the primitive has been picked up": started on one host, answering there, stopped on
# the other.
{% extends 'cmha/base.jinja' %}
{% block states %}

{% if cmha.corosync.quorum.device is defined %}
cmha quorum device votes:
  qdevice.votes:
    - name: {{ data(cmha.corosync.quorum.device.net.host) }}
    - timeout: {{ data(cmha.timeouts.online) }}
{% endif %}
cmha {{ cmha.resource }} runs once:
  crm.started:
    - name: {{ data(cmha.resource) }}
    - nodes: {{ data(cmha.nodes | map(attribute='name') | list) }}
    - port: {{ data(cmha.port) }}
    - timeout: {{ data(cmha.timeouts.started) }}
{% endblock %}
