#!jinja|yaml
# Highstate: safe at any time, on any host, on both at once. The cluster is configured where it runs, and
# not started where it doesn't. The orchestration makes the changes that both hosts must get at the same time.
{% extends 'cmha/base.jinja' %}
{% block states %}
{% set runs = salt['corosync.cluster'](cmha.nodes).runs == 'this pair' %}
{% set other_agent = salt['cmha_host.other_agent'](cmha) if runs else none %}
{% set fencing = salt['cmha_host.fencing_waits'](cmha) if runs else none %}
{% set corosync = 'cmha.waiting' if salt['cmha_host.for_both'](cmha) else 'cmha.corosync' %}

include:
  - cmha.host
  - {{ data(corosync) }}
{% if other_agent %}

cmha agent waits for the orchestration:
  test.show_notification:
    - text: >-
        The cluster stays as it is: it runs {{ cmha.resource }} by {{ other_agent }}, and pillar says another agent.
        "salt-run state.orch cmha.orchestrate" changes it, which restarts {{ cmha.resource }}.
{% elif fencing %}

cmha fencing waits for the orchestration:
  test.show_notification:
    - text: >-
        The cluster stays as it is: {{ fencing }}. "salt-run state.orch cmha.orchestrate" sees to it.
{% elif runs %}
  - cmha.cluster

extend:
  cmha cluster:
    crm:
      - require:
        - sls: cmha.identity
        - sls: {{ data(corosync) }}
        - sls: cmha.resource
{% else %}
  - cmha.stopped
{% endif %}
{% endblock %}
