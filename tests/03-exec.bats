# Chapter 03-exec. The tests tagged deep run with make test-deep only.
# shellcheck disable=SC2154  # verdict, end ... are variables of chapter.bash
load lib/chapter

@test "03-exec: every program prints what it says" {
    each_program 03-exec prints_its_output
}

@test "03-exec: bad arguments get a usage line and exit 2" {
    each_program 03-exec refuses_bad_arguments_unless_any_will_do
}

# communicate takes any command: no argument is a bad one.
refuses_bad_arguments_unless_any_will_do() {
    [ "$1" = 03-exec/communicate ] || refuses_bad_arguments "$1"
}

@test "03-exec: starters fail, solutions pass" {
    starters_fail_and_solutions_pass 03-exec
}

# bats test_tags=deep
@test "03-exec: solutions pass under schedules, noise and sanitizers" {
    solutions_pass_whatever_the_schedule 03-exec
}

# bats test_tags=deep
@test "03-exec: the same output under 20 schedules" {
    each_program 03-exec under_schedules
}

# bats test_tags=deep
@test "03-exec: every known mistake gets its verdict" {
    mistakes_get_their_verdicts 03-exec
}

# bats test_tags=deep
@test "03-exec: the same output twelve times" {
    each_program 03-exec many_times
}

# bats test_tags=deep
@test "03-exec: the same output on one core" {
    each_program 03-exec on_one_core
}

# bats test_tags=deep
@test "03-exec: the same output beside four busy loops" {
    with_load each_program 03-exec many_times
}

# bats test_tags=deep
@test "03-exec: the same output on a terminal" {
    judge_has_terminals || skip "there are no pseudo-terminals on this machine"
    each_program 03-exec on_a_terminal
}

# bats test_tags=deep
@test "03-exec: a killed child is told, and nothing stays" {
    each_program 03-exec survives_strikes child 10
}

# bats test_tags=deep
@test "03-exec: Ctrl-C leaves nothing" {
    each_program 03-exec survives_strikes interrupt 5
}

# bats test_tags=deep
@test "03-exec: SIGTERM to the first process leaves nothing" {
    each_program 03-exec survives_strikes terminate 5
}

# bats test_tags=deep
@test "03-exec: SIGKILL of the first process leaves nothing" {
    each_program 03-exec survives_strikes kill 5
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
@test "03-exec: neither hangs nor leaves anything, however it was started" {
    env --block-signal true 2>/dev/null || skip "this env cannot block signals"
    each_program 03-exec started_strangely
}

# bats test_tags=deep
@test "03-exec: a failing call is told, and nothing stays" {
    each_program 03-exec survives_failing_calls
}

# bats test_tags=deep
@test "03-exec: clean under AddressSanitizer and UBSan" {
    each_program 03-exec under_sanitizer asan
}

# bats test_tags=deep
@test "03-exec: clean under valgrind" {
    command -v valgrind >/dev/null || skip "valgrind is not installed"
    each_program 03-exec under_valgrind
}

# ---- single programs ----

# program NAME: builds it; its path is in $program.
program() {
    make -s -C "$book/chapters/03-exec" "build/$1" || return 1
    program=$book/chapters/03-exec/build/$1
}

# says EXPECTED COMMAND...: COMMAND ends with 0 within 20 s and prints just that. Its stdin is ours.
says() {
    fails 0 "$@"
}

# fails STATUS EXPECTED COMMAND...: the same with another exit status.
fails() {
    local status=$1 expected=$2 said result=0
    shift 2
    said=$(timeout -k 1 20 "$@" 2>&1 3>&-) || result=$?
    if [ $result != "$status" ] || [ "$said" != "$expected" ]; then
        printf '%s\nwanted: %s, exit %s\nsaid:   %s, exit %s\n' "$*" "$expected" "$status" "$said" "$result"
        return 1
    fi
}

# zeroes COUNT: a piece of shell that prints so many.
zeroes() {
    if [ "$1" = 0 ]; then echo :; else echo "printf '%0${1}d' 0"; fi
}

@test "03-exec: communicate, every size in each direction" {
    local in out err size same
    program communicate
    for size in 0 1 65536 65537 10485760; do
        head -c "$size" /dev/urandom >"$BATS_TEST_TMPDIR/$size"
    done
    # one direction at a time, and all three
    for size in 0 1 65536 65537 10485760; do
        same=' (the same)'
        [ "$size" = 0 ] || same=
        says "stdin $size bytes, stdout $size bytes (the same), stderr 0 bytes, exit code 0" \
            "$program" cat <"$BATS_TEST_TMPDIR/$size"
        says "stdin $size bytes, stdout 0 bytes$same, stderr 0 bytes, exit code 0" \
            "$program" sh -c 'cat >/dev/null' <"$BATS_TEST_TMPDIR/$size"
        says "stdin 0 bytes, stdout $size bytes$same, stderr 0 bytes, exit code 0" \
            "$program" sh -c "$(zeroes "$size")" </dev/null
        says "stdin 0 bytes, stdout 0 bytes (the same), stderr $size bytes, exit code 0" \
            "$program" sh -c "$(zeroes "$size") >&2" </dev/null
        says "stdin $size bytes, stdout $size bytes (the same), stderr $size bytes, exit code 0" \
            "$program" sh -c "$(zeroes "$size") >&2; cat" <"$BATS_TEST_TMPDIR/$size"
        says "stdin $size bytes, stdout $size bytes (the same), stderr $size bytes, exit code 0" \
            "$program" sh -c "cat; $(zeroes "$size") >&2" <"$BATS_TEST_TMPDIR/$size"
    done
    # different sizes in the three directions
    for in in 0 1 65536 10485760; do
        for out in 1 65536 10485760; do
            for err in 0 65536 10485760; do
                [ "$in" != "$out" ] || continue
                says "stdin $in bytes, stdout $out bytes, stderr $err bytes, exit code 5" \
                    "$program" sh -c "$(zeroes "$err") >&2; $(zeroes "$out"); cat >/dev/null; exit 5" <"$BATS_TEST_TMPDIR/$in"
            done
        done
    done
}

@test "03-exec: communicate, difficult children" {
    local big=$BATS_TEST_TMPDIR/big
    program communicate
    head -c 10485760 /dev/zero >"$big"
    says "stdin 10485760 bytes, stdout 0 bytes, stderr 0 bytes, exit code 0" "$program" true <"$big"
    says "stdin 10485760 bytes, stdout 5 bytes, stderr 0 bytes, exit code 0" "$program" sh -c 'exec <&-; echo done' <"$big"
    says "stdin 10485760 bytes, stdout 10485760 bytes, stderr 0 bytes, exit code 0" \
        "$program" sh -c "exec <&-; printf '%010485760d' 7" <"$big"
    says "stdin 10485760 bytes, stdout 10485760 bytes, stderr 0 bytes, exit code 4" \
        "$program" sh -c "printf '%010485760d' 7; exit 4" <"$big"            # never reads
    says "stdin 10485760 bytes, stdout 1000 bytes, stderr 0 bytes, exit code 0" "$program" head -c 1000 <"$big"
    says "stdin 10485760 bytes, stdout 0 bytes, stderr 0 bytes, exit code 3" \
        "$program" sh -c 'exec >&- 2>&-; sleep 0.2; exit 3' <"$big"          # never reads, closes its outputs first
    says "stdin 10485760 bytes, stdout 0 bytes, stderr 0 bytes, exit code 0" \
        "$program" sh -c 'exec >&- 2>&-; [ "$(wc -c)" -eq 10485760 ]' <"$big"   # closes them, and still reads all
    says "stdin 10485760 bytes, stdout 10485760 bytes (the same), stderr 0 bytes, exit code 0" \
        "$program" sh -c 'trap "" TERM; cat' <"$big"
    says "stdin 10485760 bytes, stdout 10485760 bytes (the same), stderr 0 bytes, exit code -15" \
        "$program" sh -c 'trap "" TERM; cat; kill -TERM $$; trap - TERM; kill -TERM $$' <"$big"
    says "stdin 10485760 bytes, stdout 0 bytes, stderr 0 bytes, exit code -9" "$program" sh -c 'kill -KILL $$' <"$big"
    says "stdin 10485760 bytes, stdout 2 bytes, stderr 0 bytes, exit code -9" "$program" sh -c 'echo a; kill -KILL $$' <"$big"
    says "stdin 10485760 bytes, stdout 0 bytes, stderr 0 bytes, exit code 127" "$program" sh -c 'exit 127' <"$big"
    fails 1 "no program ./no_such_program: ENOENT" "$program" ./no_such_program <"$big"
}

@test "03-exec: communicate, SIGPIPE and the standard descriptors as they were" {
    local bytes
    program communicate
    # SIGPIPE ends the child by default, whatever our caller has set
    says "stdin 0 bytes, stdout 0 bytes (the same), stderr 0 bytes, exit code -13" "$program" sh -c 'kill -PIPE $$' </dev/null
    says "stdin 0 bytes, stdout 0 bytes (the same), stderr 0 bytes, exit code -13" \
        sh -c 'trap "" PIPE; exec "$@"' sh "$program" sh -c 'kill -PIPE $$' </dev/null
    # the child has no more descriptors than if it were started directly
    bytes=$(timeout 20 ls -1 /proc/self/fd </dev/null 2>&1 3>&- | wc -c)
    says "stdin 0 bytes, stdout $bytes bytes, stderr 0 bytes, exit code 0" "$program" ls -1 /proc/self/fd </dev/null
    # started without stderr, a pipe gets its number
    says "stdin 2 bytes, stdout 2 bytes (the same), stderr 3 bytes, exit code 0" \
        sh -c 'exec "$@" 2>&-' sh "$program" sh -c 'cat; echo ab >&2' <<<a
    # started without any of them: it says nothing, but does not hang
    timeout 20 sh -c '"$@" <&- >&- 2>&-; [ $? -eq 1 ]' sh "$program" cat 3>&-
}

@test "03-exec: communicate ends its child when it is killed" {
    for signal in SIGKILL SIGTERM SIGINT; do
        stage_built 03-exec/communicate || { make -s -C "$book/chapters/03-exec" build/communicate && stage_built 03-exec/communicate; }
        judge_run --time 5000 --strike "main:$signal:100000" -- ./communicate sh -c 'trap "" TERM INT; while :; do :; done'
        forgive_the_unwaited
        cat "$report"
        [ "$end" = "killed by $signal" ]
        [ "$verdict" != "left behind" ]
        [ "$verdict" != hang ]
        judge_clean
    done
}

@test "03-exec: redirect with real files, and with stdin or stdout closed" {
    local how
    program redirect
    cd "$BATS_TEST_TMPDIR"
    printf 'c\na\nb\n' >in
    for how in '' '<&-' '>&-' '<&- >&-'; do
        echo 'a longer text that was there before' >out
        timeout 20 sh -c "exec \"\$@\" $how" sh "$program" in out 3>&-
        [ "$(cat out)" = "$(printf 'a\nb\nc')" ]
    done
    fails 2 "usage: redirect [IN OUT]" "$program" in
}

@test "03-exec: pipeline with stdin, stdout or both closed does not hang" {
    program pipeline
    timeout 20 sh -c 'exec "$@" <&-' sh "$program" >"$BATS_TEST_TMPDIR/out" 2>/dev/null 3>&-
    grep -qx 'exit codes: -13 0' "$BATS_TEST_TMPDIR/out"
    # without stdout the first say fails: exit 1, and nobody is left waiting
    timeout 20 sh -c '"$@" <&- >&-; [ $? -eq 1 ]' sh "$program" 2>/dev/null 3>&-
}
