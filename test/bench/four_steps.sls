# An orchestration of four steps that do nothing, on the hosts of two pairs: what Salt itself takes.
{% for pair in ['cms', 'mgmt'] %}
{% for step in ['prepare', 'start'] %}
{{ step }} {{ pair }}:
  salt.state:
    - tgt: [{{ pair }}1, {{ pair }}2]
    - tgt_type: list
    - sls: test.bench.empty
{% endfor %}
{% endfor %}
