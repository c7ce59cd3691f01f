#!jinja|yaml
# All that a host needs before its cluster starts, but corosync.conf. Starts nothing, restarts nothing.
{% extends 'cmha/base.jinja' %}
{% block states %}

include:
  - cmha.identity
  - cmha.packages
  - cmha.autostart
  - cmha.boot
  - cmha.firewall
{% if cmha.role == 'agent' %}
  - cmha.agent
{% elif cmha.pacemaker.primitives[cmha.resource].agent == 'ocf:cm:server' %}
  - cmha.server
{% endif %}
  - cmha.resource
  - cmha.alerts
{% endblock %}
