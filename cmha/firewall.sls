# Guide, "Firewall configuration": UDP 5404 and 5405, in and out.
{%- extends 'cmha/step.jinja' %}
{%- block states %}

include:
  - cmha.packages
{% for rule in cmha.rules %}
cmha firewall {{ rule.id }}:
  iptables.insert:
    - position: 1
    - table: filter
    - family: {{ rule.family }}
    - chain: {{ rule.chain }}
    - jump: ACCEPT
{%- for option, value in rule.match.items() %}
    - {{ option }}: {{ value }}
{%- endfor %}
    - save: {{ cmha.firewall.save }}
    - require:
      - sls: cmha.packages
{% endfor %}
{%- endblock %}
