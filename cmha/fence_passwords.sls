#!jinja|yaml
# The passwords of fence devices, when both hosts have seen that they are right: a program for each, which root
# alone may read. Pacemaker shows and logs what it is told itself.
{% extends 'cmha/base.jinja' %}
{% block states %}

cmha passwords of fence devices:
  fencing.passwords_kept:
    - name: {{ data(cmha.cluster_name) }}
{% endblock %}
