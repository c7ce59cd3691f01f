base:
  # Quorum devices of some tests, which belong to no pair: the master, which has a minion then, and third.
  '* and not master and not third':
    - match: compound
    - cmha
