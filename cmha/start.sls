#!jinja|yaml
# Guide, "Restart Corosync … for the new configuration to take effect" and "Make sure that Pacemaker is
# started … crm reports two nodes". The only file that starts the cluster; both hosts of a pair run it
# at the same time, since each waits for the other.
{% extends 'cmha/base.jinja' %}
{% block states %}

cmha packaged cluster:
  corosync.packaged_cluster_absent:
    - name: {{ data(cmha.cluster_name) }}
    - nodes: {{ data(cmha.nodes) }}

{% if cmha.wants_certificate %}

cmha certificate for the quorum device:
  qdevice.certified:
    - name: {{ data(cmha.cluster_name) }}
    - made: {{ data(cmha.qnetd is not none) }}
    - require_in:
      - daemons: cmha corosync runs
{% endif %}
{% for daemon in cmha.daemons %}

cmha {{ daemon }} runs:
  daemons.running:
    - name: {{ data(daemon) }}
    - require:
{% if loop.first %}
      - corosync: cmha packaged cluster
{% else %}
      - daemons: cmha {{ loop.previtem }} runs
{% endif %}
{% endfor %}

cmha two nodes online:
  crm.online:
    - name: {{ data(cmha.cluster_name) }}
    - nodes: {{ data(cmha.nodes) }}
    - timeout: {{ data(cmha.timeouts.online) }}
    - require:
{% for daemon in cmha.daemons %}
      - daemons: cmha {{ daemon }} runs
{% endfor %}

cmha corosync.conf is taken in:
  corosync.taken_in:
    - name: {{ data(cmha.cluster_name) }}
    # what runs already may wait for a restart
    - onchanges:
      - daemons: cmha corosync runs
    - require:
      - crm: cmha two nodes online
{% endblock %}
