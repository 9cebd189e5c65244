# Chapter 09-pool. The tests tagged deep run with make test-deep only.
load lib/chapter

@test "09-pool: every program prints what it says" {
    each_program 09-pool prints_its_output
}

@test "09-pool: bad arguments get a usage line and exit 2" {
    each_program 09-pool refuses_bad_arguments
}

@test "09-pool: starters fail, solutions pass" {
    starters_fail_and_solutions_pass 09-pool
}

# bats test_tags=deep
@test "09-pool: solutions pass under schedules, noise and sanitizers" {
    solutions_pass_whatever_the_schedule 09-pool
}

# bats test_tags=deep
@test "09-pool: the same output under 20 schedules" {
    each_program 09-pool under_schedules
}

# bats test_tags=deep
@test "09-pool: every known mistake gets its verdict" {
    mistakes_get_their_verdicts 09-pool
}

# bats test_tags=deep
@test "09-pool: the same output twelve times" {
    each_program 09-pool many_times
}

# bats test_tags=deep
@test "09-pool: the same output on one core" {
    each_program 09-pool on_one_core
}

# bats test_tags=deep
@test "09-pool: the same output beside four busy loops" {
    with_load each_program 09-pool many_times
}

# bats test_tags=deep
@test "09-pool: the same output on a terminal" {
    judge_has_terminals || skip "there are no pseudo-terminals on this machine"
    each_program 09-pool on_a_terminal
}

# bats test_tags=deep
@test "09-pool: a killed child is told, and nothing stays" {
    each_program 09-pool survives_strikes child 10
}

# bats test_tags=deep
@test "09-pool: Ctrl-C leaves nothing" {
    each_program 09-pool survives_strikes interrupt 5
}

# bats test_tags=deep
@test "09-pool: SIGTERM to the first process leaves nothing" {
    each_program 09-pool survives_strikes terminate 5
}

# bats test_tags=deep
@test "09-pool: SIGKILL of the first process leaves nothing" {
    each_program 09-pool survives_strikes kill 5
}

# bats test_tags=deep
@test "09-pool: a failing call is told, and nothing stays" {
    each_program 09-pool survives_failing_calls
}

# bats test_tags=deep
@test "09-pool: clean under AddressSanitizer and UBSan" {
    each_program 09-pool under_sanitizer asan
}

# bats test_tags=deep
@test "09-pool: clean under valgrind" {
    command -v valgrind >/dev/null || skip "valgrind is not installed"
    each_program 09-pool under_valgrind
}

# bats test_tags=deep
@test "09-pool: clean under ThreadSanitizer" {
    each_program 09-pool under_sanitizer tsan
}

# ---- the part pool.h under stress: programs of tests/stress/ ----

# stress_built PROGRAM FOLDER FLAG...: with the part's files from that folder.
stress_built() {
    gcc -std=c11 -g -pthread "${@:3}" -I "$book/common" -I "$book/chapters/09-pool" "$book/tests/stress/$1.c" \
        "$2"/{pool,async,worker}.c "$book"/common/*.c -o "$BATS_TEST_TMPDIR/$1"
}

# in_the_cage PROGRAM ARGUMENT...: it ends with 0 and leaves nothing.
in_the_cage() {
    local good=1
    judge_stage && cp "$BATS_TEST_TMPDIR/$1" "$stage/at/"
    judge_run --time 120000 --memory 8192 -- "./$1" "${@:2}"
    if [ "$verdict" != pass ] || [ "$end" != "exit 0" ]; then
        good=0
        echo "$*: $verdict, $end"
        cat "$report" "$err"
    fi
    judge_clean
    [ $good = 1 ]
}

@test "09-pool: what pool.h says, with 4 workers and 10000 tasks" {
    stress_built pool_api "$book/chapters/09-pool"
    in_the_cage pool_api 4 10000
}

@test "09-pool: workers and parents killed in 40 rounds" {
    stress_built pool_kill "$book/chapters/09-pool"
    in_the_cage pool_kill 40 "$RANDOM"
}

# bats test_tags=deep
@test "09-pool: 64 workers, 1000000 tasks" {
    stress_built pool_api "$book/chapters/09-pool" -O2
    in_the_cage pool_api 64 1000000
}

# bats test_tags=deep
@test "09-pool: what pool.h says, under sanitizers and on one core" {
    stress_built pool_api "$book/chapters/09-pool" -fsanitize=address,undefined
    timeout 120 "$BATS_TEST_TMPDIR/pool_api" 3 5000
    stress_built pool_api "$book/chapters/09-pool"
    taskset -c 0 timeout 120 "$BATS_TEST_TMPDIR/pool_api" 3 10000
}

# bats test_tags=deep
@test "09-pool: workers and parents killed in 400 rounds, on all cores and on one" {
    stress_built pool_kill "$book/chapters/09-pool" -O2
    in_the_cage pool_kill 300 "$RANDOM"
    taskset -c 0 timeout 120 "$BATS_TEST_TMPDIR/pool_kill" 100 "$RANDOM"
}

# The tests above can fail. fails_without PROGRAM ARGUMENTS FILE SED WORDS: with that change to FILE it does not end with 0,
# and says WORDS (or nothing: it hangs).
fails_without() {
    local status=0 part=$book/chapters/09-pool
    mkdir -p "$BATS_TEST_TMPDIR/worse"
    cp "$part"/{pool,async,worker}.c "$BATS_TEST_TMPDIR/worse/"
    sed -i "$4" "$BATS_TEST_TMPDIR/worse/$3"
    ! cmp -s "$BATS_TEST_TMPDIR/worse/$3" "$part/$3" || return 1
    stress_built "$1" "$BATS_TEST_TMPDIR/worse"
    # shellcheck disable=SC2086
    timeout 30 "$BATS_TEST_TMPDIR/$1" $2 >"$BATS_TEST_TMPDIR/out" 2>&1 || status=$?
    cat "$BATS_TEST_TMPDIR/out"
    echo "status $status"
    [ $status != 0 ] && [[ $(<"$BATS_TEST_TMPDIR/out") =~ $5 ]]
}

# bats test_tags=deep
@test "09-pool: a worse pool is found" {
    # Nothing is taken back: slow items stand behind each other.
    fails_without pool_api "4 10000" worker.c 's/atomic_exchange(self->open, 0)/0/' 'not so: here'
    # An order that a worker has never got fails, too.
    fails_without pool_api "4 10000" worker.c 's/self->sent = \(put(.*\);$/self->sent = (\1) | true;/' 'not so'
    # The next chunk is taken only after the answer: it may be one of the next order.
    fails_without pool_api "2 1000000" worker.c '/^            if (i + 1 == end)/{N;h;d;}; /^            send_answer(answers, reply.answer);$/{G;}' ''
    # All of a killed worker's order fails, not only the first item of it.
    fails_without pool_kill "200 1" pool.c '/^    if (worker->sent)$/s/.*/    while (worker->sent \&\& worker->first < worker->end)/' 'wait status'
}
