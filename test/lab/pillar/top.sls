base:
  '*':
    - cmha
