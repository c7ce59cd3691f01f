# Guide, prerequisites 1 and 2: Pacemaker and Corosync installed, and the crm tool that comes with them
# or with a package of its own.
{%- extends 'cmha/step.jinja' %}
{%- block states %}

include:
  - cmha.identity

cmha packages:
  daemons.installed:
    - pkgs: {{ (cmha.packages + (cmha.firewall_packages if cmha.rules else [])) | json }}
    - daemons: [corosync, pacemaker]
    - command: crm
    - versions: {{ cmha.versions | json }}
    - reload_modules: true
    - require:
      - sls: cmha.identity
{%- endblock %}
