#!jinja|yaml
# Takes a host out of its cluster, after the cluster was stopped: salt-run cmha.clean does both, in order.
# Its files are set aside, not deleted. The service keeps running where it runs; it starts at boot again
# on the host that keeps it (pillar cmha_clean:keep), and on no other.
{% extends 'cmha/base.jinja' %}
{% block states %}

cmha cluster is stopped before:
  corosync.stopped

cmha cluster is forgotten:
  corosync.forgotten:
    - key_file: {{ data(cmha.key_file) }}
    - require:
      - corosync: cmha cluster is stopped before
{% for rule in cmha.rules %}
cmha no firewall {{ rule.id }}:
  packet_filter.absent:
    - backend: {{ data(cmha.firewall.backend) }}
    - rule: {{ data(rule) }}
    - require:
      - corosync: cmha cluster is stopped before
    - require_in:
      - packet_filter: cmha no firewall at boot
{% endfor %}
{% if cmha.rules %}
cmha no firewall at boot:
  packet_filter.not_kept:
    - backend: {{ data(cmha.firewall.backend) }}
    - rules: {{ data(cmha.rules) }}
    - save: {{ data(cmha.firewall.save) }}
    - saved: {{ data(cmha.iptables_saved) }}
{% endif %}
{% if cmha.role == 'agent' %}
cmha no ocf agent:
  file.absent:
    - name: {{ cmha.ocf_root }}/resource.d/cm/agent
    - require:
      - corosync: cmha cluster is stopped before
{% endif %}
cmha no alert beacon:
  minion_beacon.absent:
    - name: cmha_alerts
    - require:
      - corosync: cmha cluster is stopped before
cmha no watch beacon:
  minion_beacon.absent:
    - name: cmha_watch
    - require:
      - corosync: cmha cluster is stopped before
cmha no passwords of fence devices:
  file.absent:
    - name: /etc/cmha/fencing
    - require:
      - corosync: cmha cluster is stopped before
{% for path in ['/usr/lib/cmha/alert', '/var/spool/cmha/alerts'] %}
cmha no {{ path }}:
  file.absent:
    - name: {{ data(path) }}
    - require:
      - minion_beacon: cmha no alert beacon
      - minion_beacon: cmha no watch beacon
{% endfor %}
{% for daemon in (cmha.daemons | reverse | list) + ['cmha-boot'] %}
cmha no {{ daemon }} at boot:
  daemons.not_at_boot:
    - name: {{ data(daemon) }}
    - may_be_missing: true
    - require:
      - corosync: cmha cluster is stopped before
    - require_in:
      - file: cmha no mark of a clean shutdown
{% endfor %}
cmha no longer a lock of cmha-boot:
  file.absent:
    - name: /var/lock/subsys/cmha-boot
    - require:
      - daemons: cmha no cmha-boot at boot

cmha no mark of a clean shutdown:
  file.absent:
    - name: /var/lib/cmha
{% for path in cmha.boot_files %}
cmha no longer {{ path }}:
  file.absent:
    - name: {{ data(path) }}
    - require:
      - file: cmha no mark of a clean shutdown
    - require_in:
      - daemons: cmha pacemaker is known without them
{% endfor %}
cmha pacemaker is known without them:
  daemons.known:
    - name: pacemaker

cmha {{ cmha.service }} at boot:
{% if salt['pillar.get']('cmha_clean:keep') == cmha.node.id %}
  service.enabled:
{% else %}
  daemons.not_at_boot:
{% endif %}
    - name: {{ data(cmha.service) }}
    - require:
      - corosync: cmha cluster is stopped before
{% endblock %}
