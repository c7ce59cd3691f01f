#!jinja|yaml
# No step of the guide: the third host, whose vote decides which half of a pair goes on. It is no node of a
# cluster and needs no pillar; this file is for the minion that cmha:qnetd names, and serves any number of
# pairs and sites.

cmha qnetd package:
  pkg.installed:
    - name: corosync-qnetd

# Debian's package makes it, others leave it to the administrator.
cmha qnetd authority:
  cmd.run:
    - name: corosync-qnetd-certutil -i
    - creates: /etc/corosync/qnetd/nssdb/qnetd-cacert.crt
    - require:
      - pkg: cmha qnetd package

# Where the daemon isn't root, and the directory above isn't its own (Debian), the tool leaves it nothing to read.
cmha qnetd reads its authority:
  file.directory:
    - name: /etc/corosync/qnetd/nssdb
    - group: coroqnetd
    - dir_mode: '0750'
    - file_mode: '0640'
    - recurse:
      - group
      - mode
    - onlyif: getent group coroqnetd
    - onchanges:
      - cmd: cmha qnetd authority

# It reads its certificates once.
cmha qnetd runs:
  service.running:
    - name: corosync-qnetd
    - enable: true
    - require:
      - file: cmha qnetd reads its authority
    - watch:
      - cmd: cmha qnetd authority
