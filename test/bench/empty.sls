# A state that does nothing: what Salt itself takes.
nothing:
  test.nop
