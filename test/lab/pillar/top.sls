base:
  # The master has a minion too, when a test wants it to be a quorum device.
  '* and not master':
    - match: compound
    - cmha
