# salt-run state.orch cmha.orchestrate [pillar='{cmha: {sites: [east]}}']
# Takes the hosts of every site to verified pairs, in the pillar's order of pairs: CMS first, then MGMT.
{%- from 'cmha/orchestrate/pair.jinja' import steps %}
{%- for kind in ['runners', 'utils'] %}
{%- do salt['saltutil.runner']('saltutil.sync_' ~ kind) %}
{%- endfor %}
{%- set found = salt['saltutil.runner']('cmha.sites', kwarg={'only': salt['pillar.get']('cmha:sites')}) %}
{% for error in found.errors %}
{{ error | json }}:
  test.fail_without_changes
{% endfor %}
{%- for site in found.sites %}
{%- for pair in site.pairs %}
{{ steps(site.site, pair, loop.previtem | default(none)) }}
{%- endfor %}
{%- endfor %}
