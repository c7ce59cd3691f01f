#!jinja|yaml
# The cluster doesn't run here, and highstate doesn't start it. Guide: after a crash, "determine the cause
# of the restart before manually starting these processes".
{% extends 'cmha/base.jinja' %}
{% block states %}

cmha cluster is stopped:
  test.show_notification:
    - text: >-
        The cluster {{ cmha.cluster_name }} does not run on {{ cmha.node.name }}, and highstate does not
        start it. At the master, "salt-run cmha.rejoin {{ cmha.node.id }}" shows what is known about the
        cause, and starts this host when you confirm; "salt-run state.orch cmha.orchestrate" starts the
        whole site.
{% endblock %}
