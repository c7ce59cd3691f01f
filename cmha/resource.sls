#!jinja|yaml
# Guide, "Test the OCF resource script": what Pacemaker will call answers on this host, before Pacemaker
# calls it.
{% extends 'cmha/base.jinja' %}
{% block states %}
{% set primitive = cmha.pacemaker.primitives[cmha.resource] %}

include:
  - cmha.packages

cmha resource agent answers:
  resource_agent.answers:
    - name: {{ data(primitive.agent) }}
    - params: {{ data(primitive.get('params', {})) }}
    - require:
      - sls: cmha.packages
{% endblock %}
