# shellcheck shell=bash disable=SC2154,SC2034  # variables of exercise.bash
# workers.bash - for the checks of this chapter: load it after ../../lib/exercise. See tools/workers.c.
#     pipes=small run_answer ...     each pipe holds one page
#     short=files run_answer ...     reads and writes of files are short
#     files=20 run_answer ...        a process has only so many descriptors

preload() {
    [ -f "$BATS_FILE_TMPDIR/workers.so" ] ||
        "${CC:-gcc}" -shared -fPIC -O1 -o "$BATS_FILE_TMPDIR/workers.so" "$BATS_TEST_DIRNAME/tools/workers.c" -ldl
    cp "$BATS_FILE_TMPDIR/workers.so" "$stage/at/"
}

# The noise that shortens counts would cut a read of a pipe that several workers share, which Linux never does, and
# which the chapter's own step 2 relies on. Seed 2 shortens here what the first process reads from pipes; in place of
# each other seed that shortens, another one is taken.
eval "unpooled_$(declare -f judge_run)"
judge_run() {
    local word words=() seed
    for word; do
        case $word in
        WORKBOOK_NOISE=2)
            preload
            words+=(LD_PRELOAD=./workers.so --env)
            word=WORKERS_SHORT=first ;;
        WORKBOOK_NOISE=*)
            seed=${word#*=}
            while [ $((seed * 0x9E3779B9 >> 27 & 4)) -ne 0 ]; do seed=$((seed + 10)); done
            word=WORKBOOK_NOISE=$seed ;;
        esac
        words+=("$word")
    done
    if [ -n "${pipes:-}${short:-}${files:-}" ]; then
        preload
        words=(--env LD_PRELOAD=./workers.so ${pipes:+--env "WORKERS_PIPES=$pipes"} ${short:+--env "WORKERS_SHORT=$short"} \
            ${files:+--env "WORKERS_FILES=$files"} "${words[@]}")
    fi
    if declare -F before_each_run >/dev/null; then before_each_run; fi
    unpooled_judge_run "${words[@]}"
}

# The answer's code, without comments and blank lines.
code_only() {
    "${CC:-gcc}" -fpreprocessed -dD -E -P "$ANSWER" 2>/dev/null || cat "$ANSWER"
}

# Is an answer sent in two pieces? Two statements, with at most one between them, write to the same descriptor.
writes_twice() {
    code_only | tr ';' '\n' | awk 'NF { n++ }
        match($0, /write(_full)? *\([^,]*,/) { to = substr($0, RSTART, RLENGTH)
                                              if (to in last && n - last[to] <= 2) found = 1
                                              last[to] = n }
        END { exit !found }'
}

first_process() { awk '$1 == "start" { print $2; exit }' "$events"; }

# Has a process other than the first one forked?
others_forked() {
    awk -v first="$(first_process)" '$1 == "fork" && $2 != first { found = 1 } END { exit !found }' "$events"
}

# How many processes has the first one forked?
forked() {
    awk -v first="$(first_process)" '$1 == "fork" && $2 == first' "$events" | wc -l
}

# Has a worker gone on in main's code? It forks, or waits for its siblings, which are not its children.
went_on() { others_forked || grep -qs 'wait.*No child' "$err"; }

# Is what was left behind only memory? Then says so.
only_memory() {
    grep -q LeakSanitizer <<<"$details" &&
        echo "memory that malloc or calloc gave was not given back: free it (see below which)"
}

# A worker ends by itself, when there is nothing more to do.
expect_no_kill() {
    [ "$(count_events kill)" -eq 0 ] ||
        fail_with "wrong call" "workers were ended by a signal: a worker ends by itself, when it sees that there is nothing more to do (the end of its pipe, for example)"
}

# Somebody waits for the end of a pipe that a worker, or the first process, holds open: says who and why. Prints nothing if
# it is not so.
whose_end() {
    local held
    held=$(grep "; its write end is held by" <<<"$details")
    if grep -q "^the first process .*held by.* the first process" <<<"$held"; then
        echo "main waits for the end of a pipe whose write end it holds itself: close that end in main, after the forks"
    elif grep -qE "^pid ([0-9]+) .*held by.* pid \1 as" <<<"$held"; then
        echo "a worker holds the write end of the pipe that it reads itself (see below), so it never sees its end: close it in the worker"
    elif grep -q "^pid .*held by pid" <<<"$held"; then
        echo "a worker never sees the end of its pipe, since its siblings hold the write end (see below): a worker that is forked later inherits main's ends, and must close them"
    elif grep -q "^pid .*held by the first process" <<<"$held" && grep -q "^the first process.* waits in wait" <<<"$details"; then
        echo "a worker waits for more work, and main still holds the write end of its pipe: close it when there is nothing more to do, before you wait for the worker"
    elif grep -q "^the first process .*held by pid" <<<"$held"; then
        echo "main waits for an answer, or for the end of a pipe, and the workers wait for more work: has main given out all of it, and closed the pipe of the work when there was no more? Does it take more answers than there are?"
    fi
}

# A worker has a slow task, and so waits for others. (A deadlock, or a hang.)
waits_for_others() { grep -q "waits in futex\|waits in sem_wait" <<<"$details"; }

# What explain() is for other verdicts, explain_deadlock() and explain_race() are for these two.
eval "unpooled_$(declare -f general_hint)"
general_hint() {
    local said=''
    judge_events
    if declare -F "explain_$1" >/dev/null; then said=$("explain_$1"); fi
    if [ -n "$said" ]; then echo "$said"; else unpooled_general_hint "$1"; fi
}
