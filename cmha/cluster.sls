# Guide, "Change the Pacemaker cluster configuration" and "Add … as a … resource": one transaction, on one
# host of the pair. It reaches the other by itself.
{%- extends 'cmha/step.jinja' %}
{%- block states %}

cmha cluster:
  crm.configured:
    - name: {{ cmha.cluster_name }}
    - nodes: {{ cmha.nodes | map(attribute='name') | list | json }}
    - properties: {{ cmha.pacemaker.properties | json }}
    - rsc_defaults: {{ cmha.pacemaker.rsc_defaults | json }}
    - op_defaults: {{ cmha.pacemaker.op_defaults | json }}
    - primitives: {{ cmha.pacemaker.primitives | json }}
{%- endblock %}
