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

cmha qnetd runs:
  service.running:
    - name: corosync-qnetd
    - enable: true
# It reads its certificates once.
    - watch:
      - cmd: cmha qnetd authority
