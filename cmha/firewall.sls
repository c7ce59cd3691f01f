# Guide, "Firewall configuration": UDP 5404 and 5405, in and out.
{%- extends 'cmha/step.jinja' %}
{%- block states %}

include:
  - cmha.packages
{% for rule in cmha.rules %}
cmha firewall {{ rule.id }}:
  packet_filter.allowed:
    - backend: {{ cmha.firewall.backend }}
    - rule: {{ rule | json }}
    - require:
      - sls: cmha.packages
    - require_in:
      - packet_filter: cmha firewall at boot
{% endfor %}
{%- if cmha.rules %}
cmha firewall at boot:
  packet_filter.kept:
    - backend: {{ cmha.firewall.backend }}
    - rules: {{ cmha.rules | json }}
    - save: {{ cmha.firewall.save | json }}
    - saved: {{ cmha.iptables_saved | json }}
{%- endif %}
{%- endblock %}
