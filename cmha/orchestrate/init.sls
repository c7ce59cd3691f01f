#!jinja|yaml
# salt-run state.orch cmha.orchestrate [pillar='{cmha_only: {sites: [east], pair: cms}}']
# Takes the hosts of every site to verified pairs, in the pillar's order of pairs: CMS first, then MGMT.
# Preflight comes first: a site where it finds something wrong isn't begun. Several sites are worked at side by
# side: by the first of their states, and each step's own state says what was done.
{#  How data go into a state file, as cmha.data does it on a minion; this master has no modules of cmha's. #}
{% macro data(value) %}{{ salt['slsutil.serialize']('yaml', value, default_flow_style=True, default_style='"',
    width=2147483647, sort_keys=False) }}{% endmacro %}
{% for kind in ['runners', 'utils', 'states', 'output'] %}
{% do salt['saltutil.runner']('saltutil.sync_' ~ kind, saltenv=saltenv) %}
{% endfor %}
{% set asked_for = {'said': salt['pillar.get']('cmha_only'), 'keys': pillar | list,
    'pillarenv': opts['pillarenv'], 'alone': not opts['test']} %}
{#  saltutil.runner has a saltenv of its own, base when nothing is said, and passes it on. #}
{% set found = salt['saltutil.runner']('cmha.fit_sites', kwarg=asked_for, saltenv=saltenv) %}
{% if found is not mapping %}
cmha.fit_sites failed at this master:
  test.fail_without_changes:
    - comment: {{ data('nothing was done; salt-run cmha.preflight may say more: ' ~ found) }}
{% set found = {'errors': [], 'warnings': [], 'states': []} %}
{% endif %}
{#  A name is an explicit key: YAML takes only a short one for an implicit one. #}
{% for error in found.errors | unique %}
? {{ data(error) }}
: test.fail_without_changes
{% endfor %}
{% for warning in found.warnings | unique %}
? {{ data('warning: ' ~ warning) }}
: test.show_notification:
    - text: {{ data(warning) }}
{% endfor %}
{% for state in found.states %}
? {{ data(state.name) }}
: cmha.{{ state.function }}: {{ data(state.arguments) }}
{% endfor %}
