# Chapter 01-fork. The tests tagged deep run with make test-deep only.
load lib/chapter

@test "01-fork: every program prints what it says" {
    each_program 01-fork prints_its_output
}

@test "01-fork: bad arguments get a usage line and exit 2" {
    each_program 01-fork refuses_bad_arguments
}

@test "01-fork: starters fail, solutions pass" {
    starters_fail_and_solutions_pass 01-fork
}

# bats test_tags=deep
@test "01-fork: solutions pass under schedules, noise and sanitizers" {
    solutions_pass_whatever_the_schedule 01-fork
}

# bats test_tags=deep
@test "01-fork: the same output under 20 schedules" {
    each_program 01-fork under_schedules
}

# bats test_tags=deep
@test "01-fork: every known mistake gets its verdict" {
    mistakes_get_their_verdicts 01-fork
}

# bats test_tags=deep
@test "01-fork: the same output twelve times" {
    each_program 01-fork many_times
}

# bats test_tags=deep
@test "01-fork: the same output on one core" {
    each_program 01-fork on_one_core
}

# bats test_tags=deep
@test "01-fork: the same output beside four busy loops" {
    with_load each_program 01-fork many_times
}

# bats test_tags=deep
@test "01-fork: the same output on a terminal" {
    judge_has_terminals || skip "there are no pseudo-terminals on this machine"
    each_program 01-fork on_a_terminal
}

# bats test_tags=deep
@test "01-fork: a killed child is told, and nothing stays" {
    each_program 01-fork survives_strikes child 10
}

# bats test_tags=deep
@test "01-fork: Ctrl-C leaves nothing" {
    each_program 01-fork survives_strikes interrupt 5
}

# bats test_tags=deep
@test "01-fork: SIGTERM to the first process leaves nothing" {
    each_program 01-fork survives_strikes terminate 5
}

# bats test_tags=deep
@test "01-fork: SIGKILL of the first process leaves nothing" {
    each_program 01-fork survives_strikes kill 5
}

# bats test_tags=deep
@test "01-fork: a failing call is told, and nothing stays" {
    each_program 01-fork survives_failing_calls
}

# bats test_tags=deep
@test "01-fork: clean under AddressSanitizer and UBSan" {
    each_program 01-fork under_sanitizer asan
}

# bats test_tags=deep
@test "01-fork: clean under valgrind" {
    command -v valgrind >/dev/null || skip "valgrind is not installed"
    each_program 01-fork under_valgrind
}
