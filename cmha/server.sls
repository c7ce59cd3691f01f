#!jinja|yaml
# Where pillar asks for it (resource: ocf:cm:server): the agent by which Pacemaker notices a server that hangs.
# The guide's, its init script, is content with a process.
{% extends 'cmha/base.jinja' %}
{% block states %}

include:
  - cmha.packages

cmha server agent asks by:
  pkg.installed:
    - name: curl
    # a small one of the distribution's may be there already, and can't be beside the whole one
    - unless: command -v curl

cmha ocf server agent:
  file.managed:
    - name: {{ cmha.ocf_root }}/resource.d/cm/server
    - source: salt://cmha/files/server.jinja
    - template: jinja
    - context:
        service: {{ data(cmha.service) }}
        port: {{ data(cmha.port) }}
    - user: root
    - group: root
    - mode: '0755'
    - dir_mode: '0755'
    - makedirs: true
    - check_cmd: sh -n
    - require:
      - sls: cmha.packages
      - pkg: cmha server agent asks by
    - require_in:
      - resource_agent: cmha resource agent answers
{% endblock %}
