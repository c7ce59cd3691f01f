#!jinja|yaml
# Guide, "About Corosync and Pacemaker": START=yes lets the init script run at all, and nothing of the
# cluster starts at boot (unless pillar says start_on_boot: always). After a crash a person looks first.
# Pacemaker is on the list because an enabled Pacemaker pulls Corosync up; the Cloudera service because Pacemaker manages its lifecycle.
{% extends 'cmha/base.jinja' %}
{% block states %}

include:
  - cmha.packages

cmha START=yes:
  file.replace:
    - name: {{ data(cmha.defaults_file) }}
    - pattern: '^[ \t]*#?[ \t]*START=.*$'
    - repl: START=yes
    - ignore_if_missing: true
    - backup: false
    - require:
      - sls: cmha.packages
{% for daemon in cmha.daemons | reverse %}
{% set how = 'at boot' if daemon in cmha.at_boot else 'not at boot' %}
cmha {{ daemon }} {{ how }}:
  daemons.{{ how | replace(' ', '_') }}:
    - name: {{ data(daemon) }}
    - from_package: true
    - require:
      - sls: cmha.packages
{% endfor %}
{% for daemon in cmha.idle_daemons %}
# It was once a part of the cluster, and would pull Corosync up.
cmha {{ daemon }} not at boot:
  daemons.not_at_boot:
    - name: {{ data(daemon) }}
    - may_be_missing: true
    - require:
      - sls: cmha.packages
{% endfor %}
cmha {{ cmha.service }} not at boot:
  daemons.not_at_boot:
    - name: {{ data(cmha.service) }}
    - require:
      - sls: cmha.packages
{% endblock %}
