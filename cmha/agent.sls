#!jinja|yaml
# Guide, "Create an Open Cluster Framework (OCF) provider", for the pair that runs cloudera-scm-agent.
{% extends 'cmha/base.jinja' %}
{% block states %}

include:
  - cmha.packages

cmha ocf agent:
  file.managed:
    - name: {{ cmha.ocf_root }}/resource.d/cm/agent
    - source: salt://cmha/files/agent.jinja
    - template: jinja
    - context:
        service: {{ data(cmha.service) }}
        agent_stop: {{ data(cmha.agent_stop) }}
        agent_processes: {{ data(cmha.agent_processes) }}
    - user: root
    - group: root
    # Not the guide's 770: Pacemaker's controller reads the metadata as hacluster.
    - mode: '0755'
    - dir_mode: '0755'
    - makedirs: true
    - check_cmd: sh -n
    - require:
      - sls: cmha.packages
    - require_in:
      - resource_agent: cmha resource agent answers
{% endblock %}
