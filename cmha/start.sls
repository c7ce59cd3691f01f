# Guide, "Restart Corosync … for the new configuration to take effect" and "Make sure that Pacemaker is
# started … crm reports two nodes". The only file that starts the cluster; both hosts of a pair run it
# at the same time, since each waits for the other.
{%- extends 'cmha/step.jinja' %}
{%- block states %}

cmha packaged cluster:
  corosync.packaged_cluster_absent:
    - name: {{ cmha.cluster_name }}
    - nodes: {{ cmha.nodes | json }}
{% for daemon in ['corosync', 'pacemaker'] %}
cmha {{ daemon }} runs:
  service.running:
    - name: {{ daemon }}
    - require:
      - corosync: cmha packaged cluster
{% endfor %}
cmha two nodes online:
  crm.online:
    - name: {{ cmha.cluster_name }}
    - nodes: {{ cmha.nodes | json }}
    - timeout: {{ cmha.timeouts.online }}
    - require:
      - service: cmha corosync runs
      - service: cmha pacemaker runs
{%- endblock %}
