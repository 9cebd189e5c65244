# Chapter 08-queues. The tests tagged deep run with make test-deep only.
load lib/chapter

@test "08-queues: every program prints what it says" {
    each_program 08-queues prints_its_output
}

@test "08-queues: bad arguments get a usage line and exit 2" {
    each_program 08-queues refuses_bad_arguments
}

@test "08-queues: starters fail, solutions pass" {
    starters_fail_and_solutions_pass 08-queues
}

# bats test_tags=deep
@test "08-queues: solutions pass under schedules, noise and sanitizers" {
    solutions_pass_whatever_the_schedule 08-queues
}

# bats test_tags=deep
@test "08-queues: the same output under 20 schedules" {
    each_program 08-queues under_schedules
}

# bats test_tags=deep
@test "08-queues: every known mistake gets its verdict" {
    mistakes_get_their_verdicts 08-queues
}

# bats test_tags=deep
@test "08-queues: the same output twelve times" {
    each_program 08-queues many_times
}

# bats test_tags=deep
@test "08-queues: the same output on one core" {
    each_program 08-queues on_one_core
}

# bats test_tags=deep
@test "08-queues: the same output beside four busy loops" {
    with_load each_program 08-queues many_times
}

# bats test_tags=deep
@test "08-queues: the same output on a terminal" {
    judge_has_terminals || skip "there are no pseudo-terminals on this machine"
    each_program 08-queues on_a_terminal
}

# bats test_tags=deep
@test "08-queues: a killed child is told, and nothing stays" {
    each_program 08-queues survives_strikes child 10
}

# bats test_tags=deep
@test "08-queues: Ctrl-C leaves nothing" {
    each_program 08-queues survives_strikes interrupt 5
}

# bats test_tags=deep
@test "08-queues: SIGTERM to the first process leaves nothing" {
    each_program 08-queues survives_strikes terminate 5
}

# bats test_tags=deep
@test "08-queues: SIGKILL of the first process leaves nothing" {
    each_program 08-queues survives_strikes kill 5
}

# bats test_tags=deep
@test "08-queues: a failing call is told, and nothing stays" {
    each_program 08-queues survives_failing_calls
}

# bats test_tags=deep
@test "08-queues: clean under AddressSanitizer and UBSan" {
    each_program 08-queues under_sanitizer asan
}

# bats test_tags=deep
@test "08-queues: clean under ThreadSanitizer" {
    each_program 08-queues under_sanitizer tsan
}

# bats test_tags=deep
@test "08-queues: clean under valgrind" {
    command -v valgrind >/dev/null || skip "valgrind is not installed"
    each_program 08-queues under_valgrind
}


# ---- the part queue.h under stress: programs of tests/stress/ ----

stress_built() {
    gcc -std=c11 -g -pthread "${@:2}" -I "$book/common" -I "$book/chapters/08-queues" "$book/tests/stress/$1.c" \
        "$book/chapters/08-queues/queue.c" "$book"/common/*.c -o "$BATS_TEST_TMPDIR/$1"
}

# kills ROUNDS SEED: in each round one client is killed at a random moment. In the cage: it tells what is left.
kills() {
    local good=1
    judge_stage && cp "$BATS_TEST_TMPDIR/queue_kill" "$stage/at/"
    judge_run --time 120000 -- ./queue_kill "$1" "$2"
    if [ "$verdict" != pass ] || [ "$end" != "exit 0" ]; then
        good=0
        echo "queue_kill $1 $2: $verdict, $end"
        cat "$report" "$err"
    fi
    judge_clean
    [ $good = 1 ]
}

@test "08-queues: 60 clients killed at random moments, and the others go on" {
    stress_built queue_kill
    kills 60 "$RANDOM"
}

# bats test_tags=deep
@test "08-queues: 1000 clients killed, on all cores and on one" {
    stress_built queue_kill -O2
    kills 700 "$RANDOM"
    taskset -c 0 timeout 120 "$BATS_TEST_TMPDIR/queue_kill" 300 "$RANDOM"
}

# The test above can fail: without a robust lock it does.
# bats test_tags=deep
@test "08-queues: with an ordinary lock, a killed client stops the others" {
    mkdir "$BATS_TEST_TMPDIR/worse"
    cp "$book/chapters/08-queues/queue.h" "$BATS_TEST_TMPDIR/worse/"
    sed 's/pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST)/0/' "$book/chapters/08-queues/queue.c" \
        >"$BATS_TEST_TMPDIR/worse/queue.c"
    gcc -std=c11 -pthread -I "$book/common" -I "$BATS_TEST_TMPDIR/worse" "$book/tests/stress/queue_kill.c" \
        "$BATS_TEST_TMPDIR/worse/queue.c" "$book"/common/*.c -o "$BATS_TEST_TMPDIR/queue_kill"
    local status=0
    timeout 120 "$BATS_TEST_TMPDIR/queue_kill" 1000 "$RANDOM" 2>"$BATS_TEST_TMPDIR/err" || status=$?
    cat "$BATS_TEST_TMPDIR/err"
    [ $status = 1 ] && grep -q 'was killed, and the others wait' "$BATS_TEST_TMPDIR/err"
}

# bats test_tags=deep
@test "08-queues: 50 producers and 50 consumers, each message exactly once" {
    stress_built queue_many
    local kind
    for kind in processes threads; do
        timeout 120 "$BATS_TEST_TMPDIR/queue_many" 50 50 1000000 100 $kind
        timeout 120 "$BATS_TEST_TMPDIR/queue_many" 50 50 20000 1 $kind
        timeout 120 "$BATS_TEST_TMPDIR/queue_many" 1 7 20000 3 $kind
    done
}

# bats test_tags=deep
@test "08-queues: many threads are clean under ThreadSanitizer" {
    stress_built queue_many -fsanitize=thread
    timeout 120 "$BATS_TEST_TMPDIR/queue_many" 8 8 8000 3 threads
}

every_step() {
    gcc -std=c11 -O1 -pthread -I "$book/common" -I "$1" -Wl,-z,now "$book/tests/stress/queue_every_step.c" \
        "$1/queue.c" "$book"/common/*.c -o "$BATS_TEST_TMPDIR/every_step"
    timeout 200 "$BATS_TEST_TMPDIR/every_step" >"$BATS_TEST_TMPDIR/out" 2>&1
}

# bats test_tags=deep
@test "08-queues: killed after each single instruction of put, get, task_done, close and of a wait" {
    local status=0
    every_step "$book/chapters/08-queues" || status=$?
    cat "$BATS_TEST_TMPDIR/out"
    [ $status != 77 ] || skip "ptrace is not allowed here"
    [ $status = 0 ]
    [ "$(grep -c 'the waiter, .*, went on' "$BATS_TEST_TMPDIR/out")" = 7 ]

    # Published first, and then the bell: the test must see it.
    mkdir "$BATS_TEST_TMPDIR/worse"
    cp "$book/chapters/08-queues/queue.h" "$BATS_TEST_TMPDIR/worse/"
    sed '/^        ring(&queue->filled);$/{N;s/\(.*\)\n\(.*\)/\2\n\1/;}' "$book/chapters/08-queues/queue.c" \
        >"$BATS_TEST_TMPDIR/worse/queue.c"
    if cmp -s "$BATS_TEST_TMPDIR/worse/queue.c" "$book/chapters/08-queues/queue.c"; then return 1; fi
    every_step "$BATS_TEST_TMPDIR/worse" || status=$?
    cat "$BATS_TEST_TMPDIR/out"
    [ $status = 1 ] && grep -q 'the waiter sleeps on' "$BATS_TEST_TMPDIR/out"
}

# stolen_lock FOLDER: with the queue.c of that folder
stolen_lock() {
    gcc -std=c11 -pthread -I "$book/common" -I "$1" "$book/tests/stress/queue_stolen_lock.c" "$book"/common/*.c \
        -o "$BATS_TEST_TMPDIR/stolen_lock"
    timeout 60 "$BATS_TEST_TMPDIR/stolen_lock" >"$BATS_TEST_TMPDIR/out" 2>&1
}

# bats test_tags=deep
@test "08-queues: killed with the lock's only wake-up in its hands" {
    local status=0
    stolen_lock "$book/chapters/08-queues" || status=$?
    cat "$BATS_TEST_TMPDIR/out"
    [ $status != 77 ] || skip "SCHED_FIFO is not allowed here"
    [ $status = 0 ]

    # Who waits for the lock without a limit sleeps on: the test must see it.
    mkdir "$BATS_TEST_TMPDIR/worse"
    cp "$book/chapters/08-queues/queue.h" "$BATS_TEST_TMPDIR/worse/"
    sed 's/pthread_mutex_timedlock(&queue->lock, &limit)/pthread_mutex_lock(\&queue->lock)/' \
        "$book/chapters/08-queues/queue.c" >"$BATS_TEST_TMPDIR/worse/queue.c"
    if cmp -s "$BATS_TEST_TMPDIR/worse/queue.c" "$book/chapters/08-queues/queue.c"; then return 1; fi
    stolen_lock "$BATS_TEST_TMPDIR/worse" || status=$?
    cat "$BATS_TEST_TMPDIR/out"
    [ $status = 1 ] && grep -q 'C waits for it' "$BATS_TEST_TMPDIR/out"
}
