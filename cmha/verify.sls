# Guide, "Verify that the primitive has been picked up": started on one host, answering there, stopped on
# the other.
{%- extends 'cmha/step.jinja' %}
{%- block states %}

cmha {{ cmha.resource }} runs once:
  crm.started:
    - name: {{ cmha.resource }}
    - nodes: {{ cmha.nodes | map(attribute='name') | list | json }}
    - port: {{ cmha.port | json }}
    - timeout: {{ cmha.timeouts.started }}
{%- endblock %}
