# Guide, "Restart Corosync … for the new configuration to take effect" and "Make sure that Pacemaker is
# started … crm reports two nodes". The only file that starts the cluster; both hosts of a pair run it
# at the same time, since each waits for the other.
{%- extends 'cmha/step.jinja' %}
{%- block states %}

cmha packaged cluster:
  corosync.packaged_cluster_absent:
    - name: {{ cmha.cluster_name }}
    - nodes: {{ cmha.nodes | json }}

cmha corosync runs:
  daemons.running:
    - name: corosync
    - require:
      - corosync: cmha packaged cluster

cmha pacemaker runs:
  daemons.running:
    - name: pacemaker
    - require:
      - daemons: cmha corosync runs

cmha two nodes online:
  crm.online:
    - name: {{ cmha.cluster_name }}
    - nodes: {{ cmha.nodes | json }}
    - timeout: {{ cmha.timeouts.online }}
    - require:
      - daemons: cmha corosync runs
      - daemons: cmha pacemaker runs
{%- endblock %}
