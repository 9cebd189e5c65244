# Chapter 02-process. The tests tagged deep run with make test-deep only.
load lib/chapter

@test "02-process: every program prints what it says" {
    each_program 02-process prints_its_output
}

@test "02-process: bad arguments get a usage line and exit 2" {
    each_program 02-process refuses_bad_arguments
}

@test "02-process: starters fail, solutions pass" {
    starters_fail_and_solutions_pass 02-process
}

# bats test_tags=deep
@test "02-process: solutions pass under schedules, noise and sanitizers" {
    solutions_pass_whatever_the_schedule 02-process
}

# bats test_tags=deep
@test "02-process: the same output under 20 schedules" {
    each_program 02-process under_schedules
}

# bats test_tags=deep
@test "02-process: every known mistake gets its verdict" {
    mistakes_get_their_verdicts 02-process
}

# bats test_tags=deep
@test "02-process: the same output twelve times" {
    each_program 02-process many_times
}

# bats test_tags=deep
@test "02-process: the same output on one core" {
    each_program 02-process on_one_core
}

# bats test_tags=deep
@test "02-process: the same output beside four busy loops" {
    with_load each_program 02-process many_times
}

# bats test_tags=deep
@test "02-process: the same output on a terminal" {
    judge_has_terminals || skip "there are no pseudo-terminals on this machine"
    each_program 02-process on_a_terminal
}

# bats test_tags=deep
@test "02-process: a killed child is told, and nothing stays" {
    each_program 02-process survives_strikes child 10
}

# bats test_tags=deep
@test "02-process: Ctrl-C leaves nothing" {
    each_program 02-process survives_strikes interrupt 5
}

# bats test_tags=deep
@test "02-process: SIGTERM to the first process leaves nothing" {
    each_program 02-process survives_strikes terminate 5
}

# bats test_tags=deep
@test "02-process: SIGKILL of the first process leaves nothing" {
    each_program 02-process survives_strikes kill 5
}

# bats test_tags=deep
@test "02-process: a failing call is told, and nothing stays" {
    each_program 02-process survives_failing_calls
}

# bats test_tags=deep
@test "02-process: clean under AddressSanitizer and UBSan" {
    each_program 02-process under_sanitizer asan
}

# bats test_tags=deep
@test "02-process: clean under valgrind" {
    command -v valgrind >/dev/null || skip "valgrind is not installed"
    each_program 02-process under_valgrind
}
