# shellcheck shell=bash disable=SC2154  # $stage, $events and others are of exercise.bash
# threads.bash - for the checks of exercises with threads: load it after ../../lib/exercise.
# An answer with the threads of C11 is compiled with tools/threads.h, since ThreadSanitizer sees POSIX calls only.
# The plain runs get tools/threads.c, which see, and a C library that gives a thread's stack back when it is joined:
# so whoever uses a local variable of a thread that has ended, crashes.

eval "untooled_$(declare -f judge_run)"
judge_run() {
    if [ -f "$stage/at/$exercise.c" ]; then         # it is compiled now
        if grep -q '<threads.h>' "$ANSWER"; then cp "$(dirname "${BASH_SOURCE[0]}")/tools/threads.h" "$stage/at/"; fi
    elif [ "${staged:-}" = plain ] && [ -f "$stage/at/threads.so" ]; then
        set -- --env LD_PRELOAD=./threads.so --env GLIBC_TUNABLES=glibc.pthread.stack_cache_size=0 "$@"
    fi
    # ThreadSanitizer does not know semop, which orders memory as a mutex does: there, the schedules are enough
    if [ "${staged:-}" = tsan ] && grep -q 'semop *(' "$ANSWER"; then set -- --env TSAN_OPTIONS=report_bugs=0 "$@"; fi
    untooled_judge_run "$@"
}

# run_threads [OPTION OF run_answer]... ARGUMENT...
run_threads() {
    local folder
    folder=$(dirname "${BASH_SOURCE[0]}")
    [ -f "$BATS_FILE_TMPDIR/threads.so" ] ||
        "${CC:-gcc}" -std=c11 -shared -fPIC -O1 -pthread -o "$BATS_FILE_TMPDIR/threads.so" "$folder/tools/threads.c" -ldl
    cp "$BATS_FILE_TMPDIR/threads.so" "$stage/at/"
    run_answer "$@"
    if [ -f "$stage/at/joined_detached" ]; then
        fail_with "wrong call" "a thread was detached, and then joined: a detached thread cannot be joined any more; leave pthread_detach out"
    elif [ -f "$stage/at/joined_twice" ]; then
        fail_with "wrong call" "a thread was joined twice, and another one perhaps never: call pthread_join once for each thread"
    elif [ -f "$stage/at/strtok_shared" ]; then
        fail_with race "two threads use strtok at once: it keeps its place in one hidden variable, for all threads; use strtok_r, or look at the bytes yourself"
    fi
}

# Each thread must be joined: who only hopes that the threads are ready reads too early on another day.
# A program that detaches its threads, and waits for them in another way, is left alone.
expect_joined() {
    local made joined
    made=$(count_events thread) joined=$(count_events join)
    [ "$verdict" = pass ] || return 0
    if [ "$joined" -ge "$made" ] || grep -q 'DETACHED\|pthread_detach' "$ANSWER"; then return 0; fi
    fail_with "left behind" "only $joined of $made threads were joined: call pthread_join once for each thread, before main uses what it made"
}

# What explain() is for other verdicts, explain_race() and explain_deadlock() are for these two.
eval "unraced_$(declare -f general_hint)"
general_hint() {
    local said=''
    case $1 in
    race) if declare -F explain_race >/dev/null; then said=$(explain_race); fi ;;
    deadlock) if declare -F explain_deadlock >/dev/null; then said=$(explain_deadlock); fi ;;
    esac
    if [ -n "$said" ]; then echo "$said"; else unraced_general_hint "$1"; fi
}

# Was one of the two accesses of a race made by main?
main_took_part() {
    [[ $details == *"P1 reads"* || $details == *"P1 writes"* ]] || grep -qiE '(read|write) of size .* by main thread' <<<"$details"
}

# The lines of the answer at which the two accesses of a race were made.
racing_lines() {
    local number
    sed '/^failed\|^under schedule/,$d' <<<"$details" | grep -oE "$exercise\.c:[0-9]+" | cut -d: -f2 |
        while read -r number; do sed -n "${number}p" "$ANSWER"; done
}

# The line that wrote, in a race of a reader and a writer.
writing_line() {
    local number
    number=$(grep -oE "writes( the same memory)? at $exercise\.c:[0-9]+" <<<"$details" | head -n 1 | grep -oE '[0-9]+$')
    [ -z "$number" ] || sed -n "${number}p" "$ANSWER"
}

# Do all threads get the address of one variable? Prints its name. (The code is looked at with nothing but words left.)
one_argument_for_all() {
    tr -s ' \t\n' ' ' <"$ANSWER" | grep -oE 'pthread_create ?\([^;]*;' |
        grep -oE ', ?(\(void ?\*\) ?)?& ?[a-z_A-Z0-9]+ ?\)' | grep -oE '[a-zA-Z_0-9]+ ?\)' | grep -oE '[a-zA-Z_0-9]+' | head -n 1
}
