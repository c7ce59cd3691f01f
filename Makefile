# What one does with a clone. Each target installs what it needs.
.PHONY: demo test test-all lab lab-down lint bench bench-sites campaign cibs fuzz survival

# FENCING=1: with fencing, and a cut network at the end
demo:
	@FENCING=$(FENCING) test/lab/demo

test:
	@test/run

test-all:
	@CMHA_TURN=all test/run

lab:
	@test/lab/up

lab-down:
	@test/lab/down

lint:
	@test/run lint

bench:
	@test/run bench

bench-sites:
	@SITES="$(SITES)" QUICK="$(QUICK)" test/run bench-sites

campaign:
	@ROUNDS="$(ROUNDS)" SEED="$(SEED)" PAIR="$(PAIR)" PROTECTION="$(PROTECTION)" FAULT="$(FAULT)" \
		HIGHSTATES="$(HIGHSTATES)" LAB="$(LAB)" KEEP="$(KEEP)" test/run campaign

cibs:
	@test/cibs $(CIBS)

fuzz:
	@test/run fuzz

survival:
	@CMHA_CHANGES=all test/run try test/lab/test_5_would_it_fail_over.py
