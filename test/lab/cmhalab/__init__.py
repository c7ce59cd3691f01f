"""The lab of cmha: hosts that boot for real, on one machine, out of its way."""
