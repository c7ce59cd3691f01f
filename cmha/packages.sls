# Guide, prerequisites 1 and 2: Pacemaker and Corosync installed, and the crm tool that comes with them
# or with a package of its own; where the distribution has none, pillar names a repository.
{%- extends 'cmha/step.jinja' %}
{%- block states %}

include:
  - cmha.identity
{% if cmha.crmsh.install and cmha.crmsh.repository %}
cmha crmsh repository:
  pkgrepo.managed:
{%- for option, value in cmha.crmsh.repository.items() %}
    - {{ option }}: {{ value | json }}
{%- endfor %}
    - require:
      - sls: cmha.identity
    - require_in:
      - daemons: cmha packages
{% endif %}
cmha packages:
  daemons.installed:
    - pkgs: {{ cmha.packages | json }}
    - daemons: {{ cmha.daemons | json }}
{%- if cmha.crmsh.install %}
    - command: crm
{%- endif %}
    - versions: {{ cmha.versions | json }}
    - reload_modules: true
    - require:
      - sls: cmha.identity
{%- endblock %}
