#!jinja|yaml
# No step of the guide: Pacemaker's alerts become events of Salt. The alert itself is part of the cluster's
# configuration (pacemaker:alerts:cmha); here is what it calls on each host, and what that leads to.
{% extends 'cmha/base.jinja' %}
{% block states %}
{% set agent = '/usr/lib/cmha/alert' %}
{% set spool = '/var/spool/cmha/alerts' %}

include:
  - cmha.packages
{% if cmha.alerts %}
cmha alert agent:
  file.managed:
    - name: {{ data(agent) }}
    - source: salt://cmha/files/alert.sh
    - user: root
    - group: root
    - mode: '0755'
    - dir_mode: '0755'
    - makedirs: true
    - check_cmd: sh -n
    - require:
      - sls: cmha.packages

cmha spool:
  file.directory:
    - name: {{ data(salt['file.dirname'](spool)) }}
    - user: root
    - group: root
    - mode: '0755'
    - makedirs: true
    - require:
      - sls: cmha.packages

cmha alert spool:
  file.directory:
    - name: {{ data(spool) }}
    # Pacemaker's package brings these two: in a test run on a bare host nobody has heard of them.
{% if salt['user.info']('hacluster') or not opts.test %}
    - user: hacluster
    - group: haclient
{% endif %}
    - mode: '0750'
    - require:
      - file: cmha spool

cmha alert beacon:
  minion_beacon.present:
    - name: cmha_alerts
    - settings:
        site: {{ data(cmha.site) }}
        pair: {{ data(cmha.pair) }}
        spool: {{ data(spool) }}
        interval: 2
    - require:
      - file: cmha alert spool

cmha watch beacon:
  minion_beacon.present:
    - name: cmha_watch
    - settings:
        resource: {{ data(cmha.resource) }}
        service: {{ data(cmha.service) }}
        port: {{ data(cmha.port) }}
        spool: {{ data(spool) }}
        interval: 20
    - require:
      - file: cmha alert spool
{% else %}
cmha watch beacon:
  minion_beacon.absent:
    - name: cmha_watch

cmha alert beacon:
  minion_beacon.absent:
    - name: cmha_alerts

cmha alert spool:
  file.absent:
    - name: {{ data(spool) }}
    - require:
      - minion_beacon: cmha alert beacon
      - minion_beacon: cmha watch beacon

cmha alert agent:
  file.absent:
    - name: {{ data(agent) }}
{% endif %}
{% endblock %}
