# Chapter 05-threads. The tests tagged deep run with make test-deep only.
load lib/chapter

@test "05-threads: every program prints what it says" {
    each_program 05-threads prints_its_output
}

@test "05-threads: bad arguments get a usage line and exit 2" {
    each_program 05-threads refuses_bad_arguments
}

@test "05-threads: starters fail, solutions pass" {
    starters_fail_and_solutions_pass 05-threads
}

# bats test_tags=deep
@test "05-threads: solutions pass under schedules, noise and sanitizers" {
    solutions_pass_whatever_the_schedule 05-threads
}

# bats test_tags=deep
@test "05-threads: the same output under 20 schedules" {
    each_program 05-threads under_schedules
}

# bats test_tags=deep
@test "05-threads: every known mistake gets its verdict" {
    mistakes_get_their_verdicts 05-threads
}

# bats test_tags=deep
@test "05-threads: the same output twelve times" {
    each_program 05-threads many_times
}

# bats test_tags=deep
@test "05-threads: the same output on one core" {
    each_program 05-threads on_one_core
}

# bats test_tags=deep
@test "05-threads: the same output beside four busy loops" {
    with_load each_program 05-threads many_times
}

# bats test_tags=deep
@test "05-threads: the same output on a terminal" {
    judge_has_terminals || skip "there are no pseudo-terminals on this machine"
    each_program 05-threads on_a_terminal
}

# bats test_tags=deep
@test "05-threads: a killed child is told, and nothing stays" {
    each_program 05-threads survives_strikes child 10
}

# bats test_tags=deep
@test "05-threads: Ctrl-C leaves nothing" {
    each_program 05-threads survives_strikes interrupt 5
}

# bats test_tags=deep
@test "05-threads: SIGTERM to the first process leaves nothing" {
    each_program 05-threads survives_strikes terminate 5
}

# bats test_tags=deep
@test "05-threads: SIGKILL of the first process leaves nothing" {
    each_program 05-threads survives_strikes kill 5
}

# bats test_tags=deep
@test "05-threads: a failing call is told, and nothing stays" {
    each_program 05-threads survives_failing_calls
}

# bats test_tags=deep
@test "05-threads: clean under AddressSanitizer and UBSan" {
    each_program 05-threads under_sanitizer asan
}

# bats test_tags=deep
@test "05-threads: clean under valgrind" {
    command -v valgrind >/dev/null || skip "valgrind is not installed"
    each_program 05-threads under_valgrind
}

# bats test_tags=deep
@test "05-threads: clean under ThreadSanitizer" {
    each_program 05-threads under_sanitizer tsan
}

# bats test_tags=deep
@test "05-threads: when there can be no more threads, one line says so" {
    each_program 05-threads survives_no_more_threads
}

# The first, the second ... pthread_create returns EAGAIN: one line that names the call, exit 1, nothing left.
survives_no_more_threads() {
    VARIANT=judge each_block "$1" refuse_a_thread
}

refuse_a_thread() {
    local program=$1 command=$2 number failed=0 lines
    for ((number = 1; number < 40; number++)); do
        VARIANT=judge stage_built "$program"
        judge_run --time 5000 --env "WORKBOOK_FAIL=pthread_create:$number" -- sh -c "exec $command"
        judge_events
        if ! grep -q '^failed ' "$events"; then
            judge_clean
            break
        fi
        forgive_the_unwaited
        lines=$(wc -l <"$err")
        if [ "$verdict" != pass ] || [ "$end" != "exit 1" ] || [ "$lines" != 1 ] || ! grep -q 'pthread_create' "$err"; then
            failed=1
            echo "$command, with the ${number}th pthread_create refused: $verdict, $end"
            cat "$report" "$out" "$err"
        fi
        judge_clean
    done
    if [ $number = 1 ]; then
        failed=1
        echo "$command: no pthread_create was refused"
    fi
    return $failed
}
