#!jinja|yaml
# Before anything is touched: a cluster that isn't this pair's is left alone.
{% extends 'cmha/base.jinja' %}
{% block states %}

cmha whose cluster is here:
  corosync.no_other_cluster:
    - name: {{ data(cmha.cluster_name) }}
    - nodes: {{ data(cmha.nodes) }}
{% endblock %}
