# All that a host needs before its cluster starts. Starts nothing, restarts nothing.
{%- from 'cmha/map.jinja' import cmha with context %}

include:
  - cmha.identity
  - cmha.packages
  - cmha.autostart
  - cmha.firewall
  - cmha.corosync
{%- if cmha.role == 'agent' %}
  - cmha.agent
{%- endif %}
  - cmha.resource
