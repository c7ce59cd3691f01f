#!jinja|yaml
# Guide, "Setting up Corosync": corosync.conf for the version that is installed; and the key, where pillar has
# one.
{% extends 'cmha/base.jinja' %}
{% block states %}

include:
  - cmha.packages
{% if cmha.corosync.logging.logfile is defined %}
# Corosync doesn't start when this directory is missing.
cmha log directory:
  file.directory:
    - name: {{ data(salt['file.dirname'](cmha.corosync.logging.logfile)) }}
    - makedirs: true
    - require:
      - sls: cmha.packages
    - require_in:
      - file: cmha corosync.conf
{% endif %}
{% if salt['file.directory_exists'](cmha.corosync.logging.logfile | default('')) %}
cmha log file is a directory:
  test.fail_without_changes:
    - comment: {{ data(('pillar cmha:…:corosync:logging:logfile: ' ~ cmha.corosync.logging.logfile ~ ' is a directory on '
        ~ cmha.node.id ~ '; name a file')) }}
    - require_in:
      - file: cmha corosync.conf
{% endif %}
{% if cmha.authenticated or cmha.key_size %}
# Before corosync.conf, whose check reads it.
cmha corosync key:
  corosync.authkey:
    - name: {{ data(cmha.key_file) }}
    - needed: {{ data(cmha.authenticated) }}
    - require:
      - sls: cmha.packages
    - require_in:
      - file: cmha corosync.conf
{% endif %}
cmha corosync.conf:
  file.managed:
    - name: /etc/corosync/corosync.conf
    - source: salt://cmha/files/{{ cmha.conf_template }}
    - template: jinja
    - context:
        # By name, as ever: an update of cmha isn't to write the file in another order.
        cmha: {{ data(cmha, sort_keys=True) }}
    - user: root
    - group: root
    - mode: '0644'
    - makedirs: true
{% if cmha.conf_check %}
    - check_cmd: {{ data(cmha.conf_check) }}
{% endif %}
{% if salt['corosync.shows_key']() %}
# The file that is there has a key in it, which no diff may show.
    - show_changes: false
{% endif %}
    - require:
      - sls: cmha.packages
{% if salt['corosync.running']() %}
cmha corosync.conf waits for the next start:
  test.show_notification:
    - text: >-
        Corosync on {{ cmha.node.name }} was not restarted: that would stop {{ cmha.resource }}. It
        goes on with the configuration it started with; what is new counts from its next start.
    - onchanges:
      - file: cmha corosync.conf
{% if cmha.key_size %}
      - corosync: cmha corosync key
{% endif %}
{% endif %}
{% endblock %}
