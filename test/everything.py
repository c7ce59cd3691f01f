"""One configuration with every section and every short form, as one would write it by hand."""

import yaml

EVERYTHING = yaml.safe_load("""
properties_sets:
  at-night:
    score: 10
    rule: {expressions: [{date_expression: {operation: date_spec, date_spec: {hours: 0-5}}}]}
    values: {maintenance-mode: true}
properties: {no-quorum-policy: stop, stonith-enabled: true}
rsc_defaults_sets:
  for-dummies:
    rule: {expressions: [{rsc_expression: {class: ocf, provider: pacemaker, type: Dummy}}]}
    values: {resource-stickiness: 5}
  for-all: {score: -5, values: {priority: 1}}
rsc_defaults: {resource-stickiness: 100, migration-threshold: .inf}
op_defaults_sets:
  for-monitors:
    score: 2
    rule: {boolean-op: and, expressions: [{op_expression: {name: monitor, interval: 10s}}]}
    values: {timeout: 20s}
op_defaults: {timeout: 60s, record-pending: true}
node_descriptions: {cms1: "the first of the two"}
node_scores: {cms2: -5}
node_attributes_sets:
  cms2: {away: {rule: "#uname eq cms2", values: {rack: b}}}
node_attributes:
  cms1: {rack: a, standby: false}
node_utilization_sets:
  cms1: {busy: {rule: {expressions: ["rack eq a"]}, values: {cpu: 2}}}
node_utilization:
  cms1: {cpu: 4}
  cms2: {cpu: 8}
templates:
  dummy-template: {agent: "ocf:pacemaker:Dummy", operations: {monitor: {interval: 10s}}}
primitives:
  cm: lsb:cloudera-scm-server
  vip:
    agent: ocf:heartbeat:IPaddr2
    description: "the address of <Cloudera> & 'Manager'"
    params: {ip: 10.0.0.9}
    meta: {target-role: Started, priority: -5}
    utilization: {cpu: 1}
    operations:
      start: {timeout: 300s}
      stop: {timeout: 300s, on-fail: block}
      monitor: [{interval: 30s, timeout: 60s}, {interval: 60s, OCF_CHECK_LEVEL: 10}]
  from-template: "@dummy-template"
  ping: {agent: "ocf:pacemaker:ping", params: {host_list: 10.0.0.1}}
  by-day-and-night:
    agent: ocf:heartbeat:Dummy
    params_sets: {by-night: {score: 3, rule: {expressions: [not_defined pingd]}, values: {state: /run/x}}}
    params: {state: /run/y}
    meta_sets: {shared-meta: {score: 1, values: {priority: 3}}}
    operations:
      monitor:
        interval: 10s
        OCF_CHECK_LEVEL: 1
        meta: {timeout: 5s}
        meta_sets: {slow: {rule: {expressions: ["#uname eq cms2"]}, values: {timeout: 9s}}}
        params_sets: {deep: {rule: {expressions: ["#uname eq cms1"]}, values: {depth: 1}}}
  borrower:
    agent: ocf:heartbeat:Dummy
    meta_sets: {shared-meta: id-ref}
  by-path: lsb:/opt/x/init.d/y
  fence3: "stonith:external/ipmi"
  db:
    agent: ocf:pacemaker:Stateful
    operations: {monitor: [{interval: 10s, role: Promoted}, {interval: 11s}]}
  web: ocf:heartbeat:apache
  lonely: ocf:pacemaker:Dummy
  fence1: {agent: "stonith:fence_ipmilan", params: {ip: 10.0.0.21, password: 'it''s; $(secret) "x"'}}
  fence2: {agent: "stonith:fence_ipmilan", params: {ip: 10.0.0.22, password: hunter2}}
groups:
  cloudera: [vip, cm]
clones:
  ping-everywhere: ping
  db-pair: {resource: db, meta: {promotable: true, promoted-max: 1, notify: true}}
bundles:
  web-bundle:
    docker: {image: "httpd:2", replicas: 3, options: --log-driver=journald}
    network:
      ip-range-start: 10.0.0.100
      control-port: 9999
      port-mappings: {httpd-port: {port: 80, internal-port: 8080}}
    storage:
      storage-mappings: {web-root: {source-dir: /srv/html, target-dir: /var/www/html, options: rw}}
    primitive: web
locations:
  cloudera-likes-cms1: {rsc: cloudera, node: cms1, score: 50}
  dummies-stay-away: {rsc-pattern: "dummy-.*", node: cms2, score: -INFINITY, resource-discovery: never}
  needs-network:
    rsc: cloudera
    rules:
      - score: -INFINITY
        boolean-op: or
        expressions: [not_defined pingd, {attribute: pingd, operation: lt, value: 1, type: number}]
  by-day:
    rsc: lonely
    rules:
      - score: 100
        expressions:
          - date_expression: {operation: date_spec, date_spec: {hours: 9-17, weekdays: 1-5}}
          - rule: {boolean-op: and, expressions: ["#uname eq cms1", "rack eq a b c"]}
          - date_expression: {operation: in_range, start: "2026-01-01", duration: {months: 3}}
  both-on-cms2: {sets: [[lonely, from-template]], node: cms2, score: 10}
  short-rule: {rsc: from-template, rules: "#uname ne cms1", role: Started}
colocations:
  lonely-with-cloudera: {rsc: lonely, with-rsc: cloudera, score: 200, influence: false}
  db-with-cloudera: {rsc: cloudera, with-rsc: db-pair, with-rsc-role: Promoted, score: INFINITY}
  set-of-three: {score: 5, sets: [{resources: [lonely, from-template], sequential: false}, [cloudera]]}
orders:
  db-then-cloudera:
    {first: db-pair, first-action: promote, then: cloudera, then-action: start, kind: Mandatory}
  ping-then-rest:
    sets: [[ping-everywhere], {resources: [lonely, from-template], require-all: false}]
    symmetrical: false
tickets:
  cloudera-needs-ticket: {ticket: ticketA, rsc: cloudera, loss-policy: stop}
  others-need-ticket: {ticket: ticketB, sets: [{resources: [lonely, from-template], role: Started}]}
fencing_levels:
  cms1-first: {target: cms1, index: 1, devices: [fence1]}
  cms1-second: {target: cms1, index: 2, devices: "fence1,fence2"}
  by-pattern: {target-pattern: "mgmt.*", index: 1, devices: [fence2]}
  by-attribute: {target-attribute: rack, target-value: a, index: 1, devices: [fence2]}
acl_roles:
  watcher: ["read xpath //status", {kind: read, object-type: nodes, attribute: uname}]
  operator: {description: may move things, permissions: ["write reference cloudera", "deny object-type acls"]}
acl_users: {alice: [watcher, operator], bob.smith: {name: bob, roles: [watcher]}, lonely: [watcher]}
acl_groups: {admins: [operator]}
alerts:
  mail-us: /usr/local/bin/alert.sh
  snmp:
    path: /usr/share/pacemaker/alerts/alert_snmp.sh
    params: {trap_port: 162}
    meta: {timeout: 15s}
    select: [nodes, fencing]
    recipients:
      snmp-one: 10.0.0.50
      snmp-two: {value: 10.0.0.51, meta: {timestamp-format: "%H:%M"}}
  attributes-only: {path: /bin/true, select: {attributes: [pingd, rack]}}
tags:
  everything-of-cm: [cloudera, db-with-cloudera]
""")
