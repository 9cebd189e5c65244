# Chapter 11-sockets. The tests tagged deep run with make test-deep only.
load lib/chapter

@test "11-sockets: every program prints what it says" {
    each_program 11-sockets prints_its_output
}

@test "11-sockets: bad arguments get a usage line and exit 2" {
    each_program 11-sockets refuses_bad_arguments
}

@test "11-sockets: starters fail, solutions pass" {
    starters_fail_and_solutions_pass 11-sockets
}

# bats test_tags=deep
@test "11-sockets: solutions pass under schedules, noise and sanitizers" {
    solutions_pass_whatever_the_schedule 11-sockets
}

# bats test_tags=deep
@test "11-sockets: the same output under 20 schedules" {
    each_program 11-sockets under_schedules
}

# bats test_tags=deep
@test "11-sockets: every known mistake gets its verdict" {
    mistakes_get_their_verdicts 11-sockets
}

# bats test_tags=deep
@test "11-sockets: the same output twelve times" {
    each_program 11-sockets many_times
}

# bats test_tags=deep
@test "11-sockets: the same output on one core" {
    each_program 11-sockets on_one_core
}

# bats test_tags=deep
@test "11-sockets: the same output beside four busy loops" {
    with_load each_program 11-sockets many_times
}

# bats test_tags=deep
@test "11-sockets: the same output on a terminal" {
    judge_has_terminals || skip "there are no pseudo-terminals on this machine"
    each_program 11-sockets on_a_terminal
}

# bats test_tags=deep
@test "11-sockets: a killed child is told, and nothing stays" {
    each_program 11-sockets survives_strikes child 10
}

# bats test_tags=deep
@test "11-sockets: Ctrl-C leaves nothing" {
    each_program 11-sockets survives_strikes interrupt 5
}

# bats test_tags=deep
@test "11-sockets: SIGTERM to the first process leaves nothing" {
    each_program 11-sockets survives_strikes terminate 5
}

# bats test_tags=deep
@test "11-sockets: SIGKILL of the first process leaves nothing" {
    each_program 11-sockets survives_strikes kill 5
}

# bats test_tags=deep
@test "11-sockets: a failing call is told, and nothing stays" {
    each_program 11-sockets survives_failing_calls
}

# bats test_tags=deep
@test "11-sockets: clean under AddressSanitizer and UBSan" {
    each_program 11-sockets under_sanitizer asan
}

# bats test_tags=deep
@test "11-sockets: clean under ThreadSanitizer" {
    each_program 11-sockets under_sanitizer tsan
}

# bats test_tags=deep
@test "11-sockets: clean under valgrind" {
    command -v valgrind >/dev/null || skip "valgrind is not installed"
    each_program 11-sockets under_valgrind
}


# ---- the servers, with clients of all kinds ----

servers="echo_server thread_server prefork_server poll_server"

# start NAME [ARGUMENT]...: starts a server of the chapter; $server is its pid, $port where it listens. Each runs from
# a file of its own, so that processes() finds it and its children.
start() {
    local name=$1 built=$book/chapters/11-sockets/build${VARIANT:+/$VARIANT} i
    shift
    [ "$built/$name" -nt "$book/chapters/11-sockets/$name.c" ] && [ "$built/$name" -nt "$book/chapters/11-sockets/talk.c" ] ||
        judge_make "$book/chapters/11-sockets" VARIANT="${VARIANT:-}" "build${VARIANT:+/$VARIANT}/$name"
    cp -f "$built/$name" "$BATS_TEST_TMPDIR/$name"
    (
        ulimit -n "${descriptors:-4096}"
        ulimit -v "${memory:-unlimited}"
        if [ "${start_with_a_child:-}" ]; then sleep 60 & echo $! >"$BATS_TEST_TMPDIR/stranger"; fi
        if [ "${closed:-}" ]; then exec <&- 2>&-; fi
        exec ${through:-} "$BATS_TEST_TMPDIR/$name" "${@:-0}"
    ) >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
    server=$! port=
    for ((i = 0; i < 500 && ${#port} == 0; i++)); do
        sleep 0.01
        port=$(sed -n 's/^listening on port //p' "$BATS_TEST_TMPDIR/out")
    done
    [ -n "$port" ] || { cat "$BATS_TEST_TMPDIR/err"; return 1; }
}

# The processes that run a program from this test's folder, zombies not counted.
processes() {
    find /proc/[0-9]*/exe -maxdepth 0 -lname "$BATS_TEST_TMPDIR/*" 2>/dev/null | sed 's,/proc/\(.*\)/exe,\1,'
}

children() {
    cat "/proc/$server/task/$server/children"
}

# until COMMAND...: within 2 s it must be true.
until_true() {
    local i
    for ((i = 0; i < 200; i++)); do
        if "$@"; then return 0; fi
        sleep 0.01
    done
    echo "not so within 2 s: $*"
    return 1
}

nobody() { [ -z "$(processes)" ]; }
no_children() { [ -z "$(children)" ]; }
has_ended() { ! kill -0 "$1" 2>/dev/null || [ "$(cut -d ' ' -f 3 "/proc/$1/stat")" = Z ]; }

# stop [STATUS]: SIGTERM; it must end with STATUS (0), soon, and nobody may be left.
stop() {
    local status=0
    kill -TERM "$server"
    until_true has_ended "$server"
    wait "$server" || status=$?
    [ "$status" = "${1:-0}" ] || { echo "it ended with status $status"; cat "$BATS_TEST_TMPDIR/err"; return 1; }
    until_true nobody
}

teardown() {
    local pid
    for pid in $(processes); do kill -KILL "$pid"; done
}

client() {
    [ -x "$book/chapters/11-sockets/build/echo_client" ] || judge_make "$book/chapters/11-sockets" build/echo_client
    timeout 10 "$book/chapters/11-sockets/build/echo_client" "${2:-$port}" "${@:3}" <"$1"
}

answers() {
    [ "$(client <(echo hello) "$@")" = HELLO ]
}

many_built() {
    gcc -std=c11 -O1 -pthread -I "$book/common" "$book/tests/stress/echo_many.c" "$book"/common/*.c -o "$BATS_FILE_TMPDIR/many"
}

# many CLIENTS ATONCE STRINGS KIND
many() {
    [ -x "$BATS_FILE_TMPDIR/many" ] || many_built
    timeout 100 "$BATS_FILE_TMPDIR/many" "$port" "$@" "$RANDOM"
}

# text BYTES: lines of all lengths, one much longer than any buffer, with two- and three-byte characters in all places
text() {
    awk -v size="$1" 'BEGIN {
        srand(size); made = 0; piece[0] = "a"; piece[1] = "ß"; piece[2] = "好"; piece[3] = "Z9 "; piece[4] = "\n"
        for (i = 0; i < 60000; i++) { printf "%s", piece[int(rand() * 4)]; made++ }
        while (made < size) { printf "%s", piece[int(rand() * 5)]; made++ }
        print "" }'
}

@test "11-sockets: long texts come back whole, from each server" {
    text 200000 >"$BATS_TEST_TMPDIR/text"
    LC_ALL=C tr a-z A-Z <"$BATS_TEST_TMPDIR/text" >"$BATS_TEST_TMPDIR/wanted"
    local name
    for name in $servers; do
        start $name
        client "$BATS_TEST_TMPDIR/text" >"$BATS_TEST_TMPDIR/got"
        cmp "$BATS_TEST_TMPDIR/got" "$BATS_TEST_TMPDIR/wanted"
        many 10 10 1 late
        stop
    done
}

# thousand NAME: all at once, and no child or zombie after them
thousand() {
    start "$1"
    many 1000 1000 2 together
    until_true no_children
    stop
    [ "$(tail -n 1 "$BATS_TEST_TMPDIR/out")" = "1000 served" ]
}

@test "11-sockets: 1000 clients at once" {
    thousand poll_server
}

# bats test_tags=deep
@test "11-sockets: 1000 clients at once, with a process and with a thread for each, and with 4 processes for all" {
    thousand echo_server
    thousand thread_server
    start prefork_server
    many 1000 1000 2 honest
    stop
}

@test "11-sockets: clients that reset, leave, say nothing or take nothing do not disturb the others" {
    local name
    for name in $servers; do
        start $name
        many 300 60 3 bad
        [ $name != poll_server ] || many 100 60 3 deaf
        [ ! -s "$BATS_TEST_TMPDIR/err" ]
        no_children || [ $name = prefork_server ] || until_true no_children
        stop
    done
}

@test "11-sockets: SIGTERM: no new clients, and an open talk may end" {
    local name line
    for name in $servers; do
        start $name
        exec 9<>"/dev/tcp/127.0.0.1/$port"
        echo first >&9
        read -r -t 5 line <&9
        [ "$line" = FIRST ]
        kill -TERM "$server" $(children)        # as killall does
        [ $name = prefork_server ] || until_true refuses_clients
        echo second >&9
        read -r -t 5 line <&9
        [ "$line" = SECOND ]
        exec 9>&-
        wait "$server"
        until_true nobody
    done
}

# A shell with a child becomes the server: the child is the server's now, and ends while a talk is open.
@test "11-sockets: children that a server did not start do not disturb it" {
    local name line
    for name in echo_server prefork_server; do
        start_with_a_child=1 start $name
        exec 9<>"/dev/tcp/127.0.0.1/$port"
        echo first >&9
        read -r -t 5 line <&9
        [ "$line" = FIRST ]
        kill -KILL "$(cat "$BATS_TEST_TMPDIR/stranger")"
        until_true has_ended "$(cat "$BATS_TEST_TMPDIR/stranger")"
        answers
        exec 9>&-
        stop
        [ ! -s "$BATS_TEST_TMPDIR/err" ]
    done
}

# exec keeps signals that are ignored: with SIGCHLD ignored, waitpid would never give a child. And it keeps what is closed:
# a client's socket would be 0, 1 or 2.
@test "11-sockets: started with SIGCHLD ignored, or with descriptors closed" {
    local name status
    for name in $servers; do
        through="env --ignore-signal=CHLD" start $name
        answers
        answers
        no_children || [ $name = prefork_server ] || until_true no_children
        stop
        closed=1 start $name
        answers
        stop
    done
    start echo_server
    echo hello >"$BATS_TEST_TMPDIR/hello"
    [ -z "$(timeout 5 "$book/chapters/11-sockets/build/echo_client" "$port" <&-)" ]
    [ "$(timeout 5 "$book/chapters/11-sockets/build/echo_client" "$port" <"$BATS_TEST_TMPDIR/hello" 2>&-)" = HELLO ]
    status=0
    timeout 5 "$book/chapters/11-sockets/build/echo_client" "$port" <"$BATS_TEST_TMPDIR/hello" >&- 2>"$BATS_TEST_TMPDIR/err" || status=$?
    [ $status = 1 ]
    grep -q 'echo_client.c:.*write_full' "$BATS_TEST_TMPDIR/err"
    stop
}

refuses_clients() { ! (exec 8<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

@test "11-sockets: a second signal ends a server at once, with its children" {
    local name line
    for name in $servers; do
        start $name
        exec 9<>"/dev/tcp/127.0.0.1/$port"
        echo first >&9
        read -r -t 5 line <&9
        kill -TERM "$server"
        [ $name = prefork_server ] && sleep 0.1 || until_true refuses_clients
        kill -INT "$server" 2>/dev/null || true
        kill -TERM "$server" 2>/dev/null || true
        local status=0
        wait "$server" || status=$?
        [ $status -gt 128 ]
        until_true nobody
        exec 9>&-
    done
}

@test "11-sockets: a killed child is replaced or reaped, and the others go on" {
    local name line child
    for name in echo_server prefork_server; do
        start $name
        exec 9<>"/dev/tcp/127.0.0.1/$port"
        echo first >&9
        read -r -t 5 line <&9
        for child in $(children); do
            kill -KILL "$child"
            answers
        done
        until_true grep -qE 'ended by signal 9|wait status 9' "$BATS_TEST_TMPDIR/err"
        answers
        exec 9>&-
        stop
    done
}

# With talks open, so that their connections keep the port: a new server gets it all the same.
@test "11-sockets: a killed server takes its children along, and another one can start there at once" {
    local name line
    for name in $servers; do
        start $name
        exec 9<>"/dev/tcp/127.0.0.1/$port"
        echo first >&9
        read -r -t 5 line <&9
        kill -KILL "$server"
        wait "$server" || true
        until_true nobody
        start $name "$port"
        exec 9>&-
        answers
        stop
    done
}

@test "11-sockets: a busy port is told in one line, and how to go on" {
    local name status
    start echo_server
    for name in $servers; do
        status=0
        "$book/chapters/11-sockets/build/$name" "$port" >"$BATS_TEST_TMPDIR/$name.out" 2>"$BATS_TEST_TMPDIR/$name.err" || status=$?
        [ $status = 1 ]
        [ ! -s "$BATS_TEST_TMPDIR/$name.out" ]
        [ "$(wc -l <"$BATS_TEST_TMPDIR/$name.err")" = 1 ]
        grep -q "port $port is busy.*Take another" "$BATS_TEST_TMPDIR/$name.err"
    done
    stop
}

# ticks: how much processor time the server has used, in 1/100 s
ticks() {
    local fields
    read -r -a fields <"/proc/$server/stat"
    echo $((fields[13] + fields[14]))
}

# 24 descriptors and 60 clients at once: those without a place wait in the kernel. And 30 that stay: a server that
# asked again and again for the next one would use a whole core.
lives_with_24_descriptors() {
    local before fd fds=()
    descriptors=24 start "$1"
    many 120 60 2 honest
    for _ in {1..30}; do
        exec {fd}<>"/dev/tcp/127.0.0.1/$port"
        fds+=("$fd")
    done
    before=$(ticks)
    sleep 0.3
    [ $(($(ticks) - before)) -le 6 ]
    for fd in "${fds[@]}"; do exec {fd}>&-; done
    answers
    stop
}

@test "11-sockets: out of descriptors, a server goes on serving, and does not spin" {
    lives_with_24_descriptors poll_server
}

# bats test_tags=deep
@test "11-sockets: out of descriptors, a server with threads goes on, too" {
    lives_with_24_descriptors thread_server
}

@test "11-sockets: with IPv6, where the machine has it" {
    grep -q '^00000000000000000000000000000001 ' /proc/net/if_inet6 2>/dev/null || skip "this machine has no IPv6"
    start echo_server 0 ::1
    answers "$port" ::1
    if answers "$port" 127.0.0.1 2>/dev/null; then return 1; fi
    stop
}

@test "11-sockets: without a server, and with an address that is not here, one line tells why" {
    local status=0
    start echo_server
    stop
    echo hello | timeout 5 "$book/chapters/11-sockets/build/echo_client" "$port" 2>"$BATS_TEST_TMPDIR/err" || status=$?
    [ $status = 1 ]
    grep -q "^no server at 127.0.0.1, port $port: " "$BATS_TEST_TMPDIR/err"
    status=0
    timeout 5 "$book/chapters/11-sockets/build/echo_server" 0 192.0.2.1 2>"$BATS_TEST_TMPDIR/err" || status=$?
    [ $status = 1 ]
    grep -q '^this machine does not have the address 192.0.2.1: ' "$BATS_TEST_TMPDIR/err"
}

# ---- longer, or under sanitizers ----

# bats test_tags=deep
@test "11-sockets: 100000 random strings, with bad clients beside, under AddressSanitizer" {
    export VARIANT=asan
    start poll_server
    many 20000 100 5 deaf
    stop
    start thread_server
    many 3000 100 5 deaf
    stop
    start echo_server
    many 300 50 5 deaf
    stop
    start prefork_server
    many 3000 100 5 bad
    stop
}

# bats test_tags=deep
@test "11-sockets: a thread for each of many clients, clean under ThreadSanitizer" {
    VARIANT=tsan start thread_server
    many 1000 60 3 deaf
    stop
    cat "$BATS_TEST_TMPDIR/err"
    [ ! -s "$BATS_TEST_TMPDIR/err" ]
}

# All four at the same time, each with a client that says nothing and does not go.
# bats test_tags=deep
@test "11-sockets: a stop has a limit" {
    local name status=0 fd fds=() pids=() begin=$SECONDS
    for name in $servers; do
        start $name
        exec {fd}<>"/dev/tcp/127.0.0.1/$port"
        fds+=("$fd") pids+=("$server")
        answers
    done
    kill -TERM "${pids[@]}"
    for server in "${pids[@]}"; do wait "$server" || status=$?; done
    [ $status = 0 ]
    [ $((SECONDS - begin)) -ge 4 ]
    [ $((SECONDS - begin)) -le 8 ]
    until_true nobody
    for fd in "${fds[@]}"; do exec {fd}>&-; done
}

# After SIGSTOP and SIGCONT poll fails with EINTR, without any handler.
# bats test_tags=deep
@test "11-sockets: stopped and continued at random moments" {
    local name worker
    for name in $servers; do
        start $name
        many 3000 60 3 bad 3>&- &
        worker=$!
        for _ in {1..30}; do
            kill -STOP $(processes) 2>/dev/null || true
            kill -CONT $(processes) 2>/dev/null || true
        done
        kill -CONT $(processes) 2>/dev/null || true
        wait $worker
        stop
    done
}

# bats test_tags=deep
@test "11-sockets: killed among many clients, a server leaves nobody, and starts there again, 20 times" {
    local name worker first
    for name in $servers; do
        start $name
        first=$port
        for _ in {1..5}; do
            { many 100000 60 3 bad 2>/dev/null || true; } 3>&- &
            worker=$!
            sleep "0.0$((RANDOM % 10))"
            kill -KILL "$server"
            wait "$server" $worker || true
            until_true nobody
            start $name "$first"
            answers
        done
        stop
    done
}

# What fails is one fork of many, or the memory for a thread's stack.
# bats test_tags=deep
@test "11-sockets: without a process or a thread for a client, the others are served" {
    local name
    for name in echo_server prefork_server; do
        judge_make "$book/chapters/11-sockets" VARIANT=judge "build/judge/$name" build/judge/echo_client
        judge_stage
        cp "$book/chapters/11-sockets/build/judge/$name" "$book/chapters/11-sockets/build/judge/echo_client" \
            "$book/chapters/11-sockets/lines.txt" "$stage/at/"
        judge_run --until SIGTERM --env WORKBOOK_FAIL=fork:1 --client "sh -c './echo_client PORT <lines.txt; ./echo_client PORT <lines.txt'" \
            -- ./$name 0
        cat "$report" "$out" "$err"
        [ "$verdict" = pass ]
        [ "$end" = "exit 0" ]
        grep -q "^$name: no process for a" "$err"
        [ "$(grep -c '^HELLO' "$out")" -ge 1 ]
        judge_clean
    done
    local fd fds=()
    memory=100000 start thread_server
    for _ in {1..30}; do
        exec {fd}<>"/dev/tcp/127.0.0.1/$port"
        fds+=("$fd")
    done
    until_true grep -q 'thread_server: no thread for a client' "$BATS_TEST_TMPDIR/err"
    for fd in "${fds[@]}"; do exec {fd}>&-; done
    until_true no_threads               # a thread that has not quite ended still has its stack
    answers
    stop
}

no_threads() { [ "$(find "/proc/$server/task" -mindepth 1 -maxdepth 1 | wc -l)" = 1 ]; }

# ---- against Python: other clients for our servers, and other servers for our client ----

@test "11-sockets: Python's clients, and Python's servers" {
    command -v python3 >/dev/null || skip "no python3 here"
    start echo_server
    timeout 20 python3 "$book/tests/stress/echo_python.py" client "$port"
    stop
    timeout 20 python3 "$book/tests/stress/echo_python.py" server "$book/chapters/11-sockets/build/echo_client"
}
