# Chapter 07-coordination. The tests tagged deep run with make test-deep only.
load lib/chapter

@test "07-coordination: every program prints what it says" {
    each_program 07-coordination prints_its_output
}

@test "07-coordination: bad arguments get a usage line and exit 2" {
    each_program 07-coordination refuses_bad_arguments
}

@test "07-coordination: starters fail, solutions pass" {
    starters_fail_and_solutions_pass 07-coordination
}

# bats test_tags=deep
@test "07-coordination: solutions pass under schedules, noise and sanitizers" {
    solutions_pass_whatever_the_schedule 07-coordination
}

# bats test_tags=deep
@test "07-coordination: the same output under 20 schedules" {
    each_program 07-coordination under_schedules
}

# bats test_tags=deep
@test "07-coordination: every known mistake gets its verdict" {
    mistakes_get_their_verdicts 07-coordination
}

# bats test_tags=deep
@test "07-coordination: the same output twelve times" {
    each_program 07-coordination many_times
}

# bats test_tags=deep
@test "07-coordination: the same output on one core" {
    each_program 07-coordination on_one_core
}

# bats test_tags=deep
@test "07-coordination: the same output beside four busy loops" {
    with_load each_program 07-coordination many_times
}

# bats test_tags=deep
@test "07-coordination: the same output on a terminal" {
    judge_has_terminals || skip "there are no pseudo-terminals on this machine"
    each_program 07-coordination on_a_terminal
}

# bats test_tags=deep
@test "07-coordination: a killed child is told, and nothing stays" {
    each_program 07-coordination survives_strikes child 10
}

# bats test_tags=deep
@test "07-coordination: Ctrl-C leaves nothing" {
    each_program 07-coordination survives_strikes interrupt 5
}

# bats test_tags=deep
@test "07-coordination: SIGTERM to the first process leaves nothing" {
    each_program 07-coordination survives_strikes terminate 5
}

# bats test_tags=deep
@test "07-coordination: SIGKILL of the first process leaves nothing" {
    each_program 07-coordination survives_strikes kill 5
}

# bats test_tags=deep
@test "07-coordination: a failing call is told, and nothing stays" {
    each_program 07-coordination survives_failing_calls
}

# bats test_tags=deep
@test "07-coordination: clean under AddressSanitizer and UBSan" {
    each_program 07-coordination under_sanitizer asan
}

# bats test_tags=deep
@test "07-coordination: clean under ThreadSanitizer" {
    each_program 07-coordination under_sanitizer tsan
}

# bats test_tags=deep
@test "07-coordination: clean under valgrind" {
    command -v valgrind >/dev/null || skip "valgrind is not installed"
    each_program 07-coordination under_valgrind
}

# The plain versions promise no numbers, but they end, and what they say keeps its form.
says() {            # says PROGRAM ARGUMENT... LINE
    make -s -C "$book/chapters/07-coordination" "build/$1" || return 1
    local said
    said=$(timeout 20 "$book/chapters/07-coordination/build/$1" "${@:2:$#-2}") || { echo "$1: exit $?"; return 1; }
    grep -Eqx "${@: -1}" <<<"$said" || { echo "$1: $said"; return 1; }
}

# bats test_tags=deep
@test "07-coordination: the unforced versions end" {
    says stolen_wakeup plain '20000 items taken; a consumer was woken, and found nothing: [0-9]+ times'
    says lost_wakeup plain '10 items put, [0-9]+ taken'
    says philosophers plain 'Measured: greedy, and unforced: overtaken [0-9]+ times at most'
}

# Numbers in a Measured line are not compared with the Output block: here they are, with the least that they can be.
# bats test_tags=deep
@test "07-coordination: both waits are reached in each run, by the number of waits" {
    local i
    for i in 1 2 3 4 5 6 7 8 9 10; do
        says condition 'Measured: in all [1-9][0-9]* waits for an item, [1-9][0-9]* for room'
        says process_condition 'Measured: in all [1-9][0-9]* waits for an item, [1-9][0-9]* for room'
    done
}

# The check in philosophers can fail: with the greedy rule it does.
# bats test_tags=deep
@test "07-coordination: with the greedy rule, the philosophers' check fails" {
    local folder=$BATS_TEST_TMPDIR
    sed 's/argc == 1 ? fork_is_free_and_my_turn : fork_is_free/fork_is_free/' \
        "$book/chapters/07-coordination/philosophers.c" >"$folder/greedy.c"
    gcc -std=c11 -pthread -I "$book/common" "$folder/greedy.c" "$book"/common/*.c -o "$folder/greedy"
    local status=0
    timeout 20 "$folder/greedy" >/dev/null 2>"$folder/err" || status=$?
    cat "$folder/err"
    [ $status = 1 ] && grep -qx 'somebody was overtaken [0-9]* times, more than 2' "$folder/err"
}
