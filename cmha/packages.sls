#!jinja|yaml
# Guide, prerequisites 1 and 2: Pacemaker and Corosync installed, and the crm tool that comes with them
# or with a package of its own; where the distribution has none, pillar names a repository.
{% extends 'cmha/base.jinja' %}
{% block states %}

include:
  - cmha.identity
{% if cmha.crmsh.install and cmha.crmsh.repository %}
cmha crmsh repository:
  pkgrepo.managed:
{% for option, value in cmha.crmsh.repository.items() %}
    - {{ data(option) }}: {{ data(value) }}
{% endfor %}
    - require:
      - sls: cmha.identity
    - require_in:
      - daemons: cmha packages
{% endif %}
cmha packages:
  daemons.installed:
    - pkgs: {{ data(cmha.packages) }}
    - daemons: {{ data(cmha.daemons) }}
{% if cmha.crmsh.install %}
    - command: crm
{% endif %}
    - versions: {{ data(cmha.versions) }}
    - reload_modules: true
    - require:
      - sls: cmha.identity
{% endblock %}
