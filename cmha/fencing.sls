#!jinja|yaml
# Guide, "Cloudera recommends enabling STONITH": each host sees that it can reach what fences the other, before
# the cluster counts on it.
{% extends 'cmha/base.jinja' %}
{% block states %}

cmha fence devices answer:
  fencing.proven:
    - name: {{ data(cmha.cluster_name) }}
    - devices: {{ data(cmha.fence_devices) }}
{% endblock %}
