# The whole book. In a chapter's folder the same words work for that chapter alone: make help
CHAPTERS := $(notdir $(patsubst %/,%,$(sort $(wildcard chapters/[0-9]*/))))
EXERCISE  = $(firstword $(foreach c,$(CHAPTERS),$(if $(wildcard chapters/$c/exercises/$1.c),$c)))
PROGRAM   = $(firstword $(foreach c,$(CHAPTERS),$(if $(wildcard chapters/$c/$1.c),$c)))
MAKEFLAGS += --no-builtin-rules

.PHONY: all tools common run test test-deep check progress watch clean help FORCE $(CHAPTERS)
.DEFAULT_GOAL := all
all: $(CHAPTERS)

# One chapter builds the common library first, so that no two do it at the same time.
$(CHAPTERS): common
	@$(MAKE) -s --no-print-directory -C chapters/$@
common:
	@$(MAKE) -s --no-print-directory -C chapters/$(firstword $(CHAPTERS)) common
tools:
	@$(MAKE) -s --no-print-directory -C tests/lib

run: all tools
	@for chapter in $(CHAPTERS); do $(MAKE) -s --no-print-directory -C chapters/$$chapter run || exit 1; done

test: all tools
	@tests/lib/suite quick

test-deep: all tools
	@tests/lib/suite deep

check progress: tools
	@tests/lib/judge progress $(CHAPTERS)

# Checks the exercise that was saved last, at each save. Ctrl-C ends it.
watch: tools
	@tests/lib/watch $(CHAPTERS)

run-%: FORCE
	@$(if $(call PROGRAM,$*)$(call EXERCISE,$*),$(MAKE) -s --no-print-directory -C chapters/$(or $(call PROGRAM,$*),$(call EXERCISE,$*)) run-$*,\
	echo "make: no chapter has a program or exercise $*" >&2; exit 2)
check-% hint-% reset-% draw-% replay-%: FORCE
	@$(if $(call EXERCISE,$*)$(call PROGRAM,$*),$(MAKE) -s --no-print-directory -C chapters/$(or $(call EXERCISE,$*),$(call PROGRAM,$*)) $@,\
	echo "make: no chapter has an exercise $*" >&2; exit 2)

clean:
	rm -rf chapters/*/build common/build tests/lib/build

help:
	@echo "Processes in C: $(words $(CHAPTERS)) chapters are there: $(CHAPTERS)"
	@echo "  make              build every program of every chapter"
	@echo "  make run          the tour: every program, what it shows, and its output"
	@echo "  make run-NAME     one program, for example: make run-fork"
	@echo "  make test         the quick suite: outputs, bad arguments, exercises, the prose"
	@echo "  make test-deep    one core, load, signals, killed children, failing calls, sanitizers: minutes"
	@echo "  make progress     which exercises are done, and the next one to do (the same: make check)"
	@echo "  make check-NAME   judge your answer to one exercise"
	@echo "  make draw-NAME    a drawing of one schedule of a program or an answer"
	@echo "  make replay-NAME  REPLAY=13 make replay-NAME judges under schedule 13 again, and draws it"
	@echo "  make hint-NAME    a hint; ask again for the next of the three"
	@echo "  make reset-NAME   start an exercise afresh; your old work is kept beside it"
	@echo "  make watch        check an exercise again at each save"
	@echo "  make clean        remove all that was built"
	@echo "In a chapter's folder, make help tells what can be done there."
