#!jinja|yaml
# Pillar changes what the two hosts have to agree on. A host that had it alone, and started, wouldn't meet its
# peer: corosync.conf and the key stay as they are until the orchestration changes both hosts.
{% extends 'cmha/base.jinja' %}
{% block states %}
{% set keys = salt['cmha_host.for_both'](cmha) %}

cmha corosync.conf waits for the orchestration:
  test.show_notification:
    - text: >-
        Corosync's files stay as they are on {{ cmha.node.name }}: pillar says otherwise about
        {{ keys | join(', ') or 'nothing' }}, which both hosts of the pair must get at the same time.
        "salt-run state.orch cmha.orchestrate" does it, while {{ cmha.resource }} runs on.
{% endblock %}
