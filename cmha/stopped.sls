# The cluster doesn't run here, and highstate doesn't start it. Guide: after a crash, "determine the cause
# of the restart before manually starting these processes".
{%- extends 'cmha/step.jinja' %}
{%- block states %}

cmha cluster is stopped:
  test.show_notification:
    - text: >-
        The cluster {{ cmha.cluster_name }} does not run on {{ cmha.node.name }}, and highstate does not
        start it. When you know why it is down: "salt {{ cmha.node.id }} state.apply cmha.start" starts
        this host, "salt-run state.orch cmha.orchestrate" the whole site.
{%- endblock %}
