# Chapter 04-signals. The tests tagged deep run with make test-deep only.
load lib/chapter

@test "04-signals: every program prints what it says" {
    each_program 04-signals prints_its_output
}

@test "04-signals: bad arguments get a usage line and exit 2" {
    each_program 04-signals refuses_bad_arguments
}

@test "04-signals: starters fail, solutions pass" {
    starters_fail_and_solutions_pass 04-signals
}

# bats test_tags=deep
@test "04-signals: solutions pass under schedules, noise and sanitizers" {
    solutions_pass_whatever_the_schedule 04-signals
}

# bats test_tags=deep
@test "04-signals: the same output under 20 schedules" {
    each_program 04-signals under_schedules
}

# bats test_tags=deep
@test "04-signals: every known mistake gets its verdict" {
    mistakes_get_their_verdicts 04-signals
}

# bats test_tags=deep
@test "04-signals: the same output twelve times" {
    each_program 04-signals many_times
}

# bats test_tags=deep
@test "04-signals: the same output on one core" {
    each_program 04-signals on_one_core
}

# bats test_tags=deep
@test "04-signals: the same output beside four busy loops" {
    with_load each_program 04-signals many_times
}

# bats test_tags=deep
@test "04-signals: the same output on a terminal" {
    judge_has_terminals || skip "there are no pseudo-terminals on this machine"
    each_program 04-signals on_a_terminal
}

# bats test_tags=deep
@test "04-signals: a killed child is told, and nothing stays" {
    each_program 04-signals survives_strikes child 10
}

# bats test_tags=deep
@test "04-signals: Ctrl-C leaves nothing" {
    each_program 04-signals survives_strikes interrupt 5
}

# bats test_tags=deep
@test "04-signals: SIGTERM to the first process leaves nothing" {
    each_program 04-signals survives_strikes terminate 5
}

# bats test_tags=deep
@test "04-signals: SIGKILL of the first process leaves nothing" {
    each_program 04-signals survives_strikes kill 5
}

# Whatever signal comes, and whenever: the program ends, by itself or by that signal, and nothing stays. When it ends with
# 0, a signal that it does not handle has changed nothing.
struck_at_random() {
    each_block "$2" strike_at_random "$1"
}

strike_at_random() {
    local times=$1 program=$2 command=$3 longest i whom signal at failed=0 wanted
    local -a whoms=(main child group main) signals=(SIGINT SIGTERM SIGHUP SIGUSR1 SIGUSR2 SIGCHLD SIGALRM SIGPIPE SIGQUIT SIGCONT)
    stage_built "$program" && judge_run -- sh -c "exec $command"
    longest=$((took * 1000 + 1000)) wanted=$(sort "$out")
    judge_clean
    RANDOM=${SIGNALS_SEED:-4}
    for ((i = 0; i < times; i++)); do
        whom=${whoms[RANDOM % 4]} signal=${signals[i % 10]} at=$((RANDOM * longest / 32768))
        stage_built "$program"
        judge_run --time 5000 --strike "$whom:$signal:$at" -- sh -c "exec $command"
        # too late: the program had ended; so sooner next time, and later after a hit
        if [ -n "$struck" ]; then longest=$((longest * 9 / 8)); else longest=$((longest * 7 / 8 + 100)); fi
        forgive_the_unwaited
        if ! end_is_fair "$signal" "$wanted"; then
            failed=1
            echo "$command, $signal to $whom after $at us: $verdict, $end"
            cat "$report" "$out" "$err"
        fi
        judge_clean
    done
    return $failed
}

# Exit 0 with the wanted lines (a handled SIGUSR1 may add a line), an error that was told, or the signal's own end.
end_is_fair() {
    local signal=$1 wanted=$2
    case "$verdict $end" in
    "pass exit 0") [ "$signal" = SIGUSR1 ] || [ "$(sort "$out")" = "$wanted" ] ;;
    "pass exit 1") [ -s "$err" ] ;;
    "crash killed by $signal") true ;;
    *) false ;;
    esac
}

# bats test_tags=deep
@test "04-signals: forty signals at random moments" {
    each_program 04-signals struck_at_random 40
}

# Whoever starts a program may have closed its standard descriptors, and may ignore or block signals: exec keeps all that.
started_strangely() {
    each_block "$1" start_strangely
}

start_strangely() {
    local program=$1 command=$2 how failed=0
    for how in "exec $command <&-" "exec $command >&-" "exec $command <&- >&-" "exec $command <&- 2>&-" "exec $command <&- >&- 2>&-" \
        "exec env --ignore-signal=CHLD $command" "exec env --ignore-signal=PIPE $command" \
        "exec env --ignore-signal=INT,TERM,USR1,ALRM $command" "exec env --block-signal $command"; do
        stage_built "$program"
        judge_run --time 5000 -- sh -c "$how"
        forgive_the_unwaited
        if [ "$verdict" = hang ] || [ "$verdict" = "left behind" ]; then
            failed=1
            echo "$how: $verdict"
            cat "$report" "$out" "$err"
        fi
        judge_clean
    done
    return $failed
}

# bats test_tags=deep
@test "04-signals: neither hangs nor leaves anything, however it was started" {
    env --block-signal true 2>/dev/null || skip "this env cannot block signals"
    each_program 04-signals started_strangely
}

# bats test_tags=deep
@test "04-signals: a failing call is told, and nothing stays" {
    each_program 04-signals survives_failing_calls
}

# bats test_tags=deep
@test "04-signals: clean under AddressSanitizer and UBSan" {
    each_program 04-signals under_sanitizer asan
}

# bats test_tags=deep
@test "04-signals: clean under valgrind" {
    command -v valgrind >/dev/null || skip "valgrind is not installed"
    each_program 04-signals under_valgrind
}
