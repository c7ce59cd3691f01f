#!jinja|yaml
# Guide, "Firewall configuration": UDP 5404 and 5405, in and out.
{% extends 'cmha/base.jinja' %}
{% block states %}

include:
  - cmha.packages
{% for rule in cmha.rules %}
cmha firewall {{ rule.id }}:
  packet_filter.allowed:
    - backend: {{ data(cmha.firewall.backend) }}
    - rule: {{ data(rule) }}
    - require:
      - sls: cmha.packages
    - require_in:
      - packet_filter: cmha firewall at boot
{% endfor %}
{% if cmha.rules %}
cmha firewall at boot:
  packet_filter.kept:
    - backend: {{ data(cmha.firewall.backend) }}
    - rules: {{ data(cmha.rules) }}
    - save: {{ data(cmha.firewall.save) }}
    - saved: {{ data(cmha.iptables_saved) }}
{% endif %}
{% endblock %}
