# chapter.mk - the one set of build rules. A chapter's Makefile is: include ../../common/chapter.mk
# A .c with a .h of the same name is a part; every other .c is a program: no file is listed anywhere.

TOP     := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)
CHAPTER := $(notdir $(CURDIR))
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DEFAULT_GOAL := all

# ---- the compiler. CFLAGS is yours (make CFLAGS=-O2); the rules below are added to it. ----
ifeq ($(origin CC),default)
CC := gcc
endif
CFLAGS ?= -O0
VARIANT ?=
BUILD  := build$(if $(VARIANT),/$(VARIANT))
SANITIZE_asan := -fsanitize=address,undefined -fno-sanitize-recover=undefined
SANITIZE_tsan := -fsanitize=thread
# VARIANT=judge: with a call before each access to memory and with the judge's own functions behind those calls
# and behind fork, read, pthread_mutex_lock ... So it is compiled for ThreadSanitizer, but not linked with it.
INSTRUMENT_judge := -fsanitize=thread
WITNESS_judge := $(TOP)/tests/lib/build/witness.o
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
FORTIFY  := -U_FORTIFY_SOURCE $(if $(filter -O1 -O2 -O3 -Os -Og,$(CFLAGS)),-D_FORTIFY_SOURCE=2)
COMPILE   = $(CC) -std=c11 -g -fno-omit-frame-pointer $(CFLAGS) $(FORTIFY) $(SANITIZE_$(VARIANT)) -pthread -MMD -MP -I $(TOP)/common -I .
ANSWER_WARNINGS := -Wall -Wextra

SOURCES   := $(wildcard *.c)
PARTS     := $(patsubst %.h,%,$(filter $(SOURCES:.c=.h),$(wildcard *.h)))
PROGRAMS  := $(filter-out $(PARTS),$(SOURCES:.c=))
EXERCISES := $(notdir $(patsubst %.c,%,$(wildcard exercises/*.c)))

COMMON_OBJECTS := $(patsubst $(TOP)/common/%.c,$(TOP)/common/$(BUILD)/%.o,$(wildcard $(TOP)/common/*.c))
PART_OBJECTS   := $(PARTS:%=$(BUILD)/%.o) $(foreach part,$(USES),$(BUILD)/$(notdir $(part)).o)

.PHONY: all answers common run test check clean help FORCE
all: $(PROGRAMS:%=$(BUILD)/%)
answers: $(EXERCISES:%=$(BUILD)/exercises/%)
common: $(COMMON_OBJECTS)

$(TOP)/common/$(BUILD)/%.o: $(TOP)/common/%.c | $(TOP)/common/$(BUILD)
	$(COMPILE) $(WARNINGS) -c $< -o $@

# Parts go into an archive, so that a program takes only the part it calls.
$(BUILD)/%.o: %.c | $(BUILD)
	$(COMPILE) $(INSTRUMENT_$(VARIANT)) $(WARNINGS) -c $< -o $@
$(foreach part,$(USES),$(eval $(BUILD)/$(notdir $(part)).o: $(part).c | $(BUILD) ; $$(COMPILE) $$(WARNINGS) -c $$< -o $$@))
$(BUILD)/parts.a: $(PART_OBJECTS) $(COMMON_OBJECTS) | $(BUILD)
	rm -f $@ && ar rcs $@ $^

$(PROGRAMS:%=$(BUILD)/%): $(BUILD)/%: %.c $(BUILD)/parts.a $(WITNESS_$(VARIANT))
ifeq ($(VARIANT),judge)
	$(COMPILE) $(INSTRUMENT_judge) $(WARNINGS) -c $< -o $@.o
	$(COMPILE) $@.o $(WITNESS_judge) $(BUILD)/parts.a -o $@ -ldl
else
	$(COMPILE) $(WARNINGS) $< $(BUILD)/parts.a -o $@
endif

$(BUILD)/exercises/%: exercises/%.c $(BUILD)/parts.a | $(BUILD)/exercises
	$(COMPILE) $(ANSWER_WARNINGS) $< $(BUILD)/parts.a -o $@

$(BUILD) $(BUILD)/exercises $(TOP)/common/$(BUILD):
	mkdir -p $@

-include $(wildcard $(BUILD)/*.d $(BUILD)/exercises/*.d $(TOP)/common/$(BUILD)/*.d)

# ---- what a student types ----
JUDGE := $(TOP)/tests/lib/judge

run: all
	@$(JUDGE) tour $(CHAPTER) $(PROGRAMS_IN_ORDER)
# In the order the lesson teaches them: that of their first mention in README.md; the rest after that.
PROGRAMS_IN_ORDER = $(shell { grep -oE '[a-z0-9_]+\.c\b' README.md 2>/dev/null | sed 's/\.c$$//'; printf '%s\n' $(PROGRAMS); } \
	| awk '!seen[$$0]++' | grep -xF $(PROGRAMS:%=-e %))

run-%: FORCE
	@$(if $(filter $*,$(PROGRAMS)),$(MAKE) -s $(BUILD)/$* && $(JUDGE) tour $(CHAPTER) $*,\
	$(if $(filter $*,$(EXERCISES)),$(MAKE) -s $(BUILD)/exercises/$* && $(JUDGE) tour $(CHAPTER) exercises/$*,\
	echo "make: there is no program or exercise $*; there are: $(PROGRAMS) $(EXERCISES)" >&2; exit 2))

test: all
	@cd $(TOP) && bats --filter-tags '!deep' tests/$(CHAPTER).bats

check:
	@$(JUDGE) progress $(CHAPTER)

check-%: FORCE
	@$(call needs_exercise,$*) $(JUDGE) exercise $(CHAPTER)/$*

hint-%: FORCE
	@$(call needs_exercise,$*) $(TOP)/tests/lib/hint exercises/$*.hints $(BUILD)/hints/$*

reset-%: FORCE
	@$(call needs_exercise,$*) $(TOP)/tests/lib/reset exercises/$*.c $(TOP)/tests/exercises/$(CHAPTER)/starter/$*.c

draw-% replay-%: FORCE
	@$(JUDGE) $(if $(filter draw-%,$@),draw,replay) $(CHAPTER)/$* $(REPLAY)

needs_exercise = $(if $(filter $1,$(EXERCISES)),,echo "make: there is no exercise $1; there are: $(EXERCISES)" >&2; exit 2;)

clean:
	rm -rf build

help:
	@echo "In chapters/$(CHAPTER):"
	@echo "  make              build every program into build/"
	@echo "  make run          run every program of this chapter, with a heading each"
	@echo "  make run-NAME     run one program or exercise, for example: make run-$(firstword $(PROGRAMS_IN_ORDER))"
	@echo "  make test         check every program's output, and the exercises' checks themselves"
	@echo "  make check        your exercises: done or not yet, and which one is next"
	@echo "  make check-NAME   judge your answer to one exercise: $(EXERCISES)"
	@echo "  make draw-NAME    a drawing of one schedule of a program or answer, a column a task"
	@echo "  make replay-NAME  REPLAY=13 make replay-NAME judges under schedule 13 again, and draws it"
	@echo "  make hint-NAME    a hint; ask again for the next of the three"
	@echo "  make reset-NAME   start an exercise afresh; your old work is kept beside it"
	@echo "  make clean        remove build/"
	@echo "  CC=clang, CFLAGS=-O2, VARIANT=asan or tsan (with their own build folder) can be added to any of them"
