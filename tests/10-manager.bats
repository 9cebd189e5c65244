# Chapter 10-manager. The tests tagged deep run with make test-deep only.
load lib/chapter

@test "10-manager: every program prints what it says" {
    each_program 10-manager prints_its_output
}

@test "10-manager: bad arguments get a usage line and exit 2" {
    each_program 10-manager refuses_bad_arguments
}

@test "10-manager: starters fail, solutions pass" {
    starters_fail_and_solutions_pass 10-manager
}

# bats test_tags=deep
@test "10-manager: solutions pass under schedules, noise and sanitizers" {
    solutions_pass_whatever_the_schedule 10-manager
}

# A schedule of the hundred processes of counter takes a second.
under_some_schedules() {
    if [ "$1" = 10-manager/counter ]; then "$judge" schedules "$1" 6; else under_schedules "$1"; fi
}

# bats test_tags=deep
@test "10-manager: the same output under 20 schedules" {
    each_program 10-manager under_some_schedules
}

# bats test_tags=deep
@test "10-manager: every known mistake gets its verdict" {
    mistakes_get_their_verdicts 10-manager
}

# bats test_tags=deep
@test "10-manager: the same output twelve times" {
    each_program 10-manager many_times
}

# bats test_tags=deep
@test "10-manager: the same output on one core" {
    each_program 10-manager on_one_core
}

# bats test_tags=deep
@test "10-manager: the same output beside four busy loops" {
    with_load each_program 10-manager many_times
}

# bats test_tags=deep
@test "10-manager: the same output on a terminal" {
    judge_has_terminals || skip "there are no pseudo-terminals on this machine"
    each_program 10-manager on_a_terminal
}

# bats test_tags=deep
@test "10-manager: a killed child is told, and nothing stays" {
    each_program 10-manager survives_strikes child 10
}

# bats test_tags=deep
@test "10-manager: Ctrl-C leaves nothing" {
    each_program 10-manager survives_strikes interrupt 5
}

# bats test_tags=deep
@test "10-manager: SIGTERM to the first process leaves nothing" {
    each_program 10-manager survives_strikes terminate 5
}

# bats test_tags=deep
@test "10-manager: SIGKILL of the first process leaves nothing" {
    each_program 10-manager survives_strikes kill 5
}

# bats test_tags=deep
@test "10-manager: a failing call is told, and nothing stays" {
    each_program 10-manager survives_failing_calls
}

# bats test_tags=deep
@test "10-manager: clean under AddressSanitizer and UBSan" {
    each_program 10-manager under_sanitizer asan
}

# bats test_tags=deep
@test "10-manager: clean under ThreadSanitizer" {
    each_program 10-manager under_sanitizer tsan
}

# bats test_tags=deep
@test "10-manager: clean under valgrind" {
    command -v valgrind >/dev/null || skip "valgrind is not installed"
    each_program 10-manager under_valgrind
}


# ---- the part manager.h under stress: programs of tests/stress/ ----

# stress_built NAME FOLDER FLAGS...: with the part's files of FOLDER
stress_built() {
    local part=$2
    gcc -std=c11 -g -pthread "${@:3}" -I "$book/common" -I "$part" "$book/tests/stress/$1.c" \
        "$part"/{manager,start,connection,proxy,server,objects,data,dict,waiting,auth,sha256}.c "$book"/common/*.c -o "$BATS_TEST_TMPDIR/$1"
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

# worse FILE SED: a copy of the part with one thing changed, in $worse. It must be a change.
worse() {
    worse=$BATS_TEST_TMPDIR/worse
    rm -rf "$worse" && mkdir "$worse"
    cp "$book/chapters/10-manager"/*.[ch] "$worse/"
    sed "$2" "$book/chapters/10-manager/$1" >"$worse/$1"
    ! cmp -s "$worse/$1" "$book/chapters/10-manager/$1" || { echo "nothing changed: $2"; return 1; }
}

part=chapters/10-manager

# The quick ones take the part as the chapter has built it.
quick_built() {
    judge_make "$book/$part" build/parts.a &&
        gcc -std=c11 -pthread -I "$book/common" -I "$book/$part" "$book/tests/stress/$1.c" "$book/$part/build/parts.a" -o "$BATS_TEST_TMPDIR/$1"
}

@test "10-manager: what manager.h says, over a Unix socket and over TCP with a key" {
    quick_built manager_api
    in_the_cage manager_api
    in_the_cage manager_api 127.0.0.1:0 "open sesame"
}

@test "10-manager: wrong lengths, garbage, half requests, clients that never read, no descriptors" {
    quick_built manager_hostile
    in_the_cage manager_hostile 300 "$RANDOM"
}

@test "10-manager: 40 clients and servers killed at random moments" {
    quick_built manager_kill
    in_the_cage manager_kill 40 "$RANDOM"
}

# bats test_tags=deep
@test "10-manager: what manager.h says, for threads under ThreadSanitizer, and on one core" {
    stress_built manager_api "$book/$part" -fsanitize=thread
    timeout 60 "$BATS_TEST_TMPDIR/manager_api"
    stress_built manager_api "$book/$part" -fsanitize=address,undefined -fno-sanitize-recover=undefined
    taskset -c 0 timeout 60 "$BATS_TEST_TMPDIR/manager_api"
}

# bats test_tags=deep
@test "10-manager: 10000 connections with random bytes, and an honest client beside them" {
    stress_built manager_hostile "$book/$part" -fsanitize=address,undefined -fno-sanitize-recover=undefined
    in_the_cage manager_hostile 10000 "$RANDOM"
    stress_built manager_hostile "$book/$part" -O2
    in_the_cage manager_hostile 10000 "$RANDOM"         # its memory stays as it is; with a sanitizer nobody can tell
}

# bats test_tags=deep
@test "10-manager: 600 clients and servers killed, on all cores and on one" {
    stress_built manager_kill "$book/$part" -O2
    in_the_cage manager_kill 400 "$RANDOM"
    taskset -c 0 timeout 120 "$BATS_TEST_TMPDIR/manager_kill" 200 "$RANDOM"
}

# The tests above can fail: with one thing left out of the server, they do.
# bats test_tags=deep
@test "10-manager: a server with one thing left out is found" {
    local change file status
    while IFS='|' read -r file change; do
        worse "$file" "$change"
        stress_built manager_hostile "$worse" -fsanitize=address
        status=0
        timeout 60 "$BATS_TEST_TMPDIR/manager_hostile" 300 1 >"$BATS_TEST_TMPDIR/out" 2>&1 || status=$?
        [ $status = 1 ] || { echo "$file $change: exit $status"; cat "$BATS_TEST_TMPDIR/out"; return 1; }
    done <<'END'
server.c|s/head.length > MANAGER_LARGEST ||//
server.c|s/head.key_length > head.length ||//
server.c|s/client->in_size > sizeof head + head.length ||/0 ||/
server.c|s/errno == EMFILE || errno == ENFILE/errno == ENFILE/
objects.c|s/ || head.request > last_request\[type\]//
objects.c|s/if (object->type != type)/if (0)/
END
    worse waiting.c '/^void release_all/,/^}/s/give(object)/(void)0/'
    stress_built manager_kill "$worse"
    status=0
    timeout 120 "$BATS_TEST_TMPDIR/manager_kill" 400 1 >"$BATS_TEST_TMPDIR/out" 2>&1 || status=$?
    [ $status = 1 ] || { echo "a dead owner keeps its lock: exit $status"; cat "$BATS_TEST_TMPDIR/out"; return 1; }
}

# ---- the handshake auth.h: tests/stress/auth_fuzz.c ----

# auth_built AUTH.c FLAGS...
auth_built() {
    gcc -std=c11 -g -O2 -pthread "${@:2}" -I "$book/common" -I "$book/chapters/10-manager" "$book/tests/stress/auth_fuzz.c" \
        "$1" "$book/chapters/10-manager/sha256.c" "$book"/common/{errors,io}.c -o "$BATS_TEST_TMPDIR/fuzz"
}

@test "10-manager: SHA-256 is sha256sum's; 100000 handshakes with strangers, and nobody gets in" {
    local size want
    auth_built "$book/chapters/10-manager/auth.c" -fsanitize=address,undefined -fno-sanitize-recover=undefined
    for size in 0 1 55 56 57 63 64 65 119 120 128 1000 100000; do
        head -c "$size" /dev/urandom >"$BATS_TEST_TMPDIR/bytes"
        want=$(sha256sum <"$BATS_TEST_TMPDIR/bytes")
        [ "$("$BATS_TEST_TMPDIR/fuzz" hash <"$BATS_TEST_TMPDIR/bytes")" = "${want%% *}" ] || { echo "$size bytes"; return 1; }
    done
    timeout 60 "$BATS_TEST_TMPDIR/fuzz" 100000 "$RANDOM"
}

# The test above can fail: without the role, with one byte not compared, with more bytes taken than wanted, it does.
# bats test_tags=deep
@test "10-manager: a handshake with one thing left out lets strangers in" {
    local change status worse=$BATS_TEST_TMPDIR/auth.c
    for change in 's/{ (unsigned char)role }/{ (unsigned char)(role \& 0) }/' \
        's/i < SHA256_SIZE; i++/i < SHA256_SIZE - 1; i++/' 's/if (size > auth_wants(auth))/if (size > 1000)/'; do
        sed "$change" "$book/chapters/10-manager/auth.c" >"$worse"
        ! cmp -s "$worse" "$book/chapters/10-manager/auth.c" || { echo "nothing changed: $change"; return 1; }
        auth_built "$worse" -fsanitize=address
        status=0
        timeout 60 "$BATS_TEST_TMPDIR/fuzz" 100000 "$RANDOM" >"$BATS_TEST_TMPDIR/out" 2>&1 || status=$?
        [ $status = 1 ] || { echo "$change: exit $status"; cat "$BATS_TEST_TMPDIR/out"; return 1; }
    done
}

# ---- two hosts: remote.c, on this machine's own networks ----

# remote_says HOSTS COMMAND...: what it prints is what its Output block says, but for the numbers.
remote_says() {
    local hosts=$1
    shift
    timeout 20 "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || { cat "$BATS_TEST_TMPDIR/err"; return 1; }
    cat "$BATS_TEST_TMPDIR/out"
    grep -q "^Measured: hosts: $hosts;" "$BATS_TEST_TMPDIR/out" &&
        "$tools/match" compare "$book/chapters/10-manager/remote.c" 1 "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/err" "exit 0"
}

@test "10-manager: remote says the same on two hosts and on one" {
    local program=$book/chapters/10-manager/build/remote
    judge_make "$book/chapters/10-manager" build/remote
    unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_net_namespaces' 2>/dev/null ||
        skip "no user namespaces here: remote ran on one host, in the first test"
    remote_says 1 unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$0"' "$program"
    unshare -Urn ip link add east type veth peer name west 2>/dev/null ||
        skip "no ip here (package iproute2), or no veth: remote ran on one host only"
    remote_says 2 "$program"
}

@test "10-manager: remote in a network that ip netns has made leaves nothing there" {
    command -v ip >/dev/null || skip "no ip here (package iproute2)"
    local name=workbook-$$ good=1
    ip netns add "$name" 2>/dev/null || skip "ip netns add is not allowed here"
    judge_make "$book/chapters/10-manager" build/remote &&
        remote_says 2 ip netns exec "$name" "$book/chapters/10-manager/build/remote" || good=0
    [ "$(ip -n "$name" -o link | wc -l)" = 1 ] || { ip -n "$name" link; good=0; }    # only lo
    ip netns delete "$name"
    [ $good = 1 ]
}
