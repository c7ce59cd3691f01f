#!jinja|yaml
# Guide, "Change the Pacemaker cluster configuration" and "Add … as a … resource": one transaction, on one
# host of the pair. It reaches the other by itself.
{% extends 'cmha/base.jinja' %}
{% block states %}

cmha cluster:
  crm.configured:
    - name: {{ data(cmha.cluster_name) }}
    - nodes: {{ data(cmha.nodes | map(attribute='name') | list) }}
    - serves: {{ data(cmha.serves) }}
{% for section, objects in cmha.pacemaker.items() if objects %}
    - {{ section }}: {{ data(objects) }}
{% endfor %}
{% endblock %}
