# shellcheck shell=bash disable=SC2154,SC2034  # variables of exercise.bash
# queues.bash - for the checks of this chapter: load it after ../../lib/exercise.

# The answer's code, without comments and blank lines.
code_only() {
    "${CC:-gcc}" -fpreprocessed -dD -E -P "$ANSWER" 2>/dev/null || cat "$ANSWER"
}

first_process() { awk '$1 == "start" { print $2; exit }' "$events"; }

# Has a process other than the first one forked?
others_forked() {
    awk -v first="$(first_process)" '$1 == "fork" && $2 != first { found = 1 } END { exit !found }' "$events"
}

# Did one of them write to a pipe that nobody reads any more?
wrote_to_nobody() {
    [[ $details == *"signal 13"* || $details == *SIGPIPE* ]] || grep -q 'Broken pipe' "$err" ||
        awk '$1 == "wait" && $4 == 13 { found = 1 } END { exit !found }' "$events"
}

say_busy="somebody waits in a busy loop: it asks again and again, and uses a whole core. Wait in a call that sleeps until somebody wakes you: read, sem_wait, or pthread_cond_wait"
say_runs_on="a child went on in main's code, and started children of its own: end each child with _exit"

# Everybody ends by itself.
expect_no_kill() {
    [ "$(count_events kill)" -eq 0 ] ||
        fail_with "wrong call" "${1:-a child was ended by a signal: each one ends by itself, when it sees that there is nothing more to do (the end of its pipe, for example)}"
}

# What explain() is for other verdicts, explain_deadlock() and explain_race() are for these two.
eval "bare_$(declare -f general_hint)"
general_hint() {
    local said=''
    judge_events
    if declare -F "explain_$1" >/dev/null; then said=$("explain_$1"); fi
    if [ -n "$said" ]; then echo "$said"; else bare_general_hint "$1"; fi
}

# After each run: did a child end badly, and nobody says so?
eval "bare_$(declare -f judge_compare)"
judge_compare() {
    local status=
    if [ "$verdict" = pass ] && [ "$end" = "exit 0" ]; then
        judge_events
        status=$(awk '$1 == "wait" && $4 != 0 { print $4; exit }' "$events")
    fi
    if [ "$end" = "killed by SIGXCPU" ]; then
        verdict="wrong call" details="while all had to wait for one of them, the processes used a tenth of a second of processor time"$'\n'
    elif [ -z "$status" ]; then
        bare_judge_compare "$@"
    elif [ $((status & 127)) -ne 0 ]; then
        verdict="wrong exit status" details="a child was killed by signal $((status & 127)), and main ended with exit 0"$'\n'
    else
        verdict="wrong exit status" details="a child ended with exit status $((status >> 8)), and main ended with exit 0"$'\n'
    fi
}

preload() {
    [ -f "$BATS_FILE_TMPDIR/queues.so" ] ||
        "${CC:-gcc}" -shared -fPIC -O1 -o "$BATS_FILE_TMPDIR/queues.so" "$BATS_TEST_DIRNAME/tools/queues.c" -ldl
    cp "$BATS_FILE_TMPDIR/queues.so" "$stage/at/"
}

# Noise that shortens counts would cut a read of a number or of a record in the middle. Linux does that to nobody whose writes have
# at most PIPE_BUF bytes, and whose reads are as long; and several readers of one pipe rely on it. So such a seed is replaced by
# another one. Where a read may really end in the middle of a line, fill=1 shows it.
#
# Before the commands that run an answer (see tools/queues.c):
#     gather=N        the first N children begin together, and each pipe holds one page
#     hold=1          one step of a child takes half a second; whoever uses processor time meanwhile waits in a busy loop
#     fill=1          a read waits until the writers have filled the pipe, or have no more: so reads end in the middle of a line
eval "bare_$(declare -f judge_run)"
judge_run() {
    local word words=() seed
    for word; do
        case $word in
        WORKBOOK_NOISE=1) ;;        # it interrupts only
        WORKBOOK_NOISE=*)
            seed=${word#*=}
            while [ "$seed" = 2 ] || [ $((seed * 0x9E3779B9 >> 27 & 4)) -ne 0 ]; do seed=$((seed + 10)); done
            word=WORKBOOK_NOISE=$seed ;;
        esac
        words+=("$word")
    done
    if [ -n "${gather:-}${fill:-}${hold:-}" ] && [ -f "$compiled/plain" ]; then
        preload
        words=(--env LD_PRELOAD=./queues.so --env "${hold:+QUEUES_HOLD=1}${fill:+QUEUES_FILL=1}${gather:+QUEUES_GATHER=$gather}" "${words[@]}")
    fi
    bare_judge_run "${words[@]}"
}
