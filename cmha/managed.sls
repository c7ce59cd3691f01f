#!jinja|yaml
# Not in the guide: a change that restarts the cluster needs maintenance mode. When both nodes are back and
# the resource was found running, the cluster manages it again.
{% extends 'cmha/base.jinja' %}
{% block states %}

cmha cluster manages {{ cmha.resource }}:
  maintenance.ended:
    - name: {{ data(cmha.resource) }}
    - nodes: {{ data(cmha.nodes | map(attribute='name') | list) }}
    - timeout: {{ data(cmha.timeouts.online) }}
{% endblock %}
