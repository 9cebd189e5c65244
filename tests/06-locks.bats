# Chapter 06-locks. The tests tagged deep run with make test-deep only.
load lib/chapter

@test "06-locks: every program prints what it says" {
    each_program 06-locks prints_its_output
}

@test "06-locks: bad arguments get a usage line and exit 2" {
    each_program 06-locks refuses_bad_arguments
}

@test "06-locks: starters fail, solutions pass" {
    starters_fail_and_solutions_pass 06-locks
}

# bats test_tags=deep
@test "06-locks: solutions pass under schedules, noise and sanitizers" {
    solutions_pass_whatever_the_schedule 06-locks
}

# bats test_tags=deep
@test "06-locks: the same output under 20 schedules" {
    each_program 06-locks under_schedules
}

# bats test_tags=deep
@test "06-locks: every known mistake gets its verdict" {
    mistakes_get_their_verdicts 06-locks
}

# bats test_tags=deep
@test "06-locks: the same output twelve times" {
    each_program 06-locks many_times
}

# bats test_tags=deep
@test "06-locks: the same output on one core" {
    each_program 06-locks on_one_core
}

# bats test_tags=deep
@test "06-locks: the same output beside four busy loops" {
    with_load each_program 06-locks many_times
}

# bats test_tags=deep
@test "06-locks: the same output on a terminal" {
    judge_has_terminals || skip "there are no pseudo-terminals on this machine"
    each_program 06-locks on_a_terminal
}

# bats test_tags=deep
@test "06-locks: a killed child is told, and nothing stays" {
    each_program 06-locks survives_strikes child 10
}

# bats test_tags=deep
@test "06-locks: Ctrl-C leaves nothing" {
    each_program 06-locks survives_strikes interrupt 5
}

# bats test_tags=deep
@test "06-locks: SIGTERM to the first process leaves nothing" {
    each_program 06-locks survives_strikes terminate 5
}

# bats test_tags=deep
@test "06-locks: SIGKILL of the first process leaves nothing" {
    each_program 06-locks survives_strikes kill 5
}

# bats test_tags=deep
@test "06-locks: a failing call is told, and nothing stays" {
    each_program 06-locks survives_failing_calls
}

# bats test_tags=deep
@test "06-locks: clean under AddressSanitizer and UBSan" {
    each_program 06-locks under_sanitizer asan
}

# bats test_tags=deep
@test "06-locks: clean under valgrind" {
    command -v valgrind >/dev/null || skip "valgrind is not installed"
    each_program 06-locks under_valgrind
}

# bats test_tags=deep
@test "06-locks: clean under ThreadSanitizer" {
    each_program 06-locks under_sanitizer tsan
}

# A block with a line WRONG: is left out above, and its verdict under a schedule does not count. But most of these
# programs go wrong without a data race: the wrong order is arranged. So they must be silent, too.
# lock_errors and "rlock 3 misuse" unlock what they do not have, and a private lock in shared memory is a wrong call.
silent_blocks() {
    local program=$1 command=$2 seed failed=0 wanted=pass
    case $command in
    "./robust_lock stalled") wanted="left behind" ;;        # the owner ends with the lock: that is what it shows
    ./lock_errors | "./rlock 3 misuse" | ./private_lock) return 0 ;;
    esac
    VARIANT=tsan stage_built "$program" || return 1
    judge_run --memory 8192 --time 30000 -- sh -c "exec $command"
    if grep -q ThreadSanitizer "$err"; then
        failed=1
        echo "$command, ThreadSanitizer:"
        cat "$err"
    fi
    judge_clean
    for ((seed = 1; seed <= 20; seed++)); do
        VARIANT=judge stage_built "$program" || return 1
        judge_scheduled "$seed" "$book/chapters/${program%/*}/build/judge/${program#*/}" -- sh -c "exec $command"
        if [ "$verdict" != "$wanted" ]; then
            failed=1
            echo "$command, schedule $seed: $verdict"
            echo "$details"
        fi
        judge_clean
    done
    return $failed
}

blocks_with_both_builds() {
    make -s -C "$book/chapters/${1%/*}" VARIANT=judge "build/judge/${1#*/}" || return 1
    VARIANT=tsan each_block "$1" silent_blocks
}

# bats test_tags=deep
@test "06-locks: wrong versions go wrong without a data race" {
    each_program 06-locks blocks_with_both_builds
}

# Owners and waiters of a lock are killed at many more moments than above.
# bats test_tags=deep
@test "06-locks: a killed owner or waiter never leaves the others waiting" {
    local name failed=0
    for name in process_lock private_lock robust_lock try_and_timeout lock_errors atomic; do
        survives_strikes child 20 "06-locks/$name" || failed=1
    done
    return $failed
}
