#!jinja|yaml
# No step of the guide: both nodes reach the third host, before their cluster is restarted to count its vote.
{% extends 'cmha/base.jinja' %}
{% block states %}

{% if cmha.corosync.quorum.device is defined %}
cmha quorum device answers:
  qdevice.reached:
    - name: {{ data(cmha.corosync.quorum.device.net.host) }}
    - port: {{ data(cmha.device_port) }}
{% endif %}
{% endblock %}
