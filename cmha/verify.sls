# Guide, "Verify that the primitive has been picked up": started on one host, answering there, stopped on
# the other.
{%- extends 'cmha/step.jinja' %}
{%- block states %}

{%- if cmha.corosync.quorum.device is defined %}
cmha quorum device votes:
  qdevice.votes:
    - name: {{ cmha.corosync.quorum.device.net.host }}
    - timeout: {{ cmha.timeouts.online }}
{% endif %}
cmha {{ cmha.resource }} runs once:
  crm.started:
    - name: {{ cmha.resource }}
    - nodes: {{ cmha.nodes | map(attribute='name') | list | json }}
    - port: {{ cmha.port | json }}
    - timeout: {{ cmha.timeouts.started }}
{%- endblock %}
