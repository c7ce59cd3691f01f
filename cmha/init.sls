# Highstate: safe at any time, on any host, on both at once. The cluster is configured where it runs, and
# not started where it doesn't.
{%- extends 'cmha/step.jinja' %}
{%- block states %}
{%- set runs = salt['corosync.cluster'](cmha.nodes).runs == 'this pair' %}

include:
  - cmha.host
{%- if runs %}
  - cmha.cluster

extend:
  cmha cluster:
    crm:
      - require:
        - sls: cmha.identity
        - sls: cmha.corosync
        - sls: cmha.resource
{%- else %}
  - cmha.stopped
{%- endif %}
{%- endblock %}
