#!jinja|yaml
# Not in the guide: start_on_boot: after_clean_shutdown. Corosync and Pacemaker stay off at boot; cmha-boot starts
# them where a mark says that the host was shut down in order, with its cluster running. A crash leaves no mark.
{% extends 'cmha/base.jinja' %}
{% block states %}

include:
  - cmha.packages

{% if 'cmha-boot' in cmha.at_boot %}

cmha boot directory:
  file.directory:
    - name: /var/lib/cmha
    - user: root
    - group: root
    - mode: '0755'
    - require:
      - sls: cmha.packages
{% for path, file in cmha.boot_files.items() %}
cmha {{ path }}:
  file.managed:
    - name: {{ data(path) }}
    - source: salt://cmha/files/boot/{{ file.source }}
    - template: jinja
    - context:
        daemons: {{ data(cmha.daemons) }}
    - user: root
    - group: root
    - mode: '{{ file.mode }}'
    - makedirs: true
    - require:
      - file: cmha boot directory
    - require_in:
      - daemons: cmha pacemaker is known as its files say
{% endfor %}
cmha start after a clean shutdown:
  daemons.at_boot:
    - name: cmha-boot
    - from_package: true
    - require:
      - daemons: cmha pacemaker is known as its files say
{% if '/etc/init.d/cmha-boot' in cmha.boot_files %}
# Red Hat's rc stops at shutdown what left a lock here when it was started: the first shutdown counts too. Where
# the directory isn't root's alone, as elsewhere, the lock could be somebody's link.
cmha lock of cmha-boot:
  file.managed:
    - name: /var/lock/subsys/cmha-boot
    - replace: false
    - onlyif: find /var/lock/subsys -maxdepth 0 -type d -user root ! -perm /022 | grep -q .
    - require:
      - daemons: cmha start after a clean shutdown
{% endif %}
{% else %}

cmha no start after a clean shutdown:
  daemons.not_at_boot:
    - name: cmha-boot
    - may_be_missing: true
    - require:
      - sls: cmha.packages

cmha no lock of cmha-boot:
  file.absent:
    - name: /var/lock/subsys/cmha-boot
    - require:
      - daemons: cmha no start after a clean shutdown

cmha no clean shutdown:
  file.absent:
    - name: /var/lib/cmha
    - require:
      - daemons: cmha no start after a clean shutdown
{% for path in cmha.boot_files %}
cmha no {{ path }}:
  file.absent:
    - name: {{ data(path) }}
    - require:
      - file: cmha no clean shutdown
    - require_in:
      - daemons: cmha pacemaker is known as its files say
{% endfor %}
{% endif %}

cmha pacemaker is known as its files say:
  daemons.known:
    - name: pacemaker
    - require:
      - sls: cmha.packages
{% endblock %}
