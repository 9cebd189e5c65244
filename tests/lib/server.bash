# server.bash - for the checks of a server: load it after ../../lib/exercise.
#     cat >script <<END       the script of a client: see the head of talker.c
#     # two lines in one packet
#     open a
#     send a one\ntwo\n
#     expect a eno\nowt\n
#     END
#     serve script 0          runs the answer with the argument 0, then the client; fails the check with a verdict
# serve [--at PATH] SCRIPT ARGUMENT...   --at: the server listens on a Unix socket. SCRIPT and all other files in the folder
# where the check stands are given to the client, and are seen by the server, too.
# The server shall print one line, "listening on port N" (or "listening on PATH"), and end when SIGTERM comes.
#
# A right plain run is followed by the same talk under noise (seeds 1, 2 and two more; network.c) and for the sanitizers.
# There are no controlled schedules for servers: a task that waits for a client from outside looks to the scheduler like one
# that waits for ever, and all its tasks together like a deadlock. What several threads do to one variable is
# seen by ThreadSanitizer; what several processes do to shared memory is not seen.
#
# For explain(): $talk_kind, one word (the second one of what the talker says), $talk_topic, the topic in the script, and
# $talk_said. They are empty when the talker did not run, or all was well.

# shellcheck shell=bash disable=SC2154,SC2034  # variables of exercise.bash
can_schedule() { return 1; }
[ -n "${JUDGE_PLAIN:-}" ] || builds='plain asan tsan'
more_noises=2

# serve [--at PATH] SCRIPT ARGUMENT...
serve() {
    local listening="port N1" file
    where=PORT
    if [ "$1" = --at ]; then where=$2 listening=$2; shift 2; fi
    talk_mark=$((RANDOM * 32768 + RANDOM))
    cp "$tools/talker" "$stage/at/.talker"
    cp "$tools/network.so" "$stage/at/.network.so"
    for file in *; do if [ -e "$file" ] || [ -L "$file" ]; then cp -a "$file" "$stage/at/"; fi; done
    options=(--time 15000 --until SIGTERM --client "env -u LD_PRELOAD ./.talker $1 $where $talk_mark")
    arguments=("${@:2}")
    case $where:${2:-} in PORT:[1-9]*) listening="port $2" ;; esac
    ran="./$exercise ${*:2}"
    staged=
    run_build plain
    judge_events
    # the checks' own hint is asked for here, since the judge does not ask for one
    if [ "$verdict" = "over the limit" ] && [ -n "$talk_kind" ]; then fail_with "$verdict" "$(explain)"; fi
    expect <<END
listening on $listening
client: all is well $talk_mark
END
}

# Before each run the folder is as it was; after it the talker's word is the verdict, unless the server had ended before.
talk_kind='' talk_topic='' talk_said=''
eval "unserved_$(declare -f judge_run)"
judge_run() {
    local said='' its_verdict
    if [ ! -e "$stage/at/.talker" ]; then unserved_judge_run "$@"; return; fi       # it compiles
    if declare -F before_each_run >/dev/null; then before_each_run; fi
    if [ "$staged" = plain ]; then
        set -- --env LD_PRELOAD=./.network.so --env "NETWORK_ROOM=${room:-8192}" "$@"
    fi
    unserved_judge_run "$@"
    talk_kind='' talk_topic='' talk_said=''
    [ ! -f "$out" ] || said=$(grep -a '^client: ' "$out" | tail -n 1)
    case $said in
    "client: all is well $talk_mark" | '')
        if [ "$where" != PORT ] && [ -e "$stage/at/$where" ]; then
            case $verdict:$details in
            pass:* | "left behind:the socket"*)
                verdict="left behind" talk_kind=name details="the name of its socket, $where, is still there"$'\n' ;;
            esac
        fi
        return 0 ;;
    *" $talk_mark") said=${said#client: } said=${said% "$talk_mark"} ;;
    *) return 0 ;;
    esac
    IFS='|' read -r its_verdict talk_kind talk_topic talk_said <<<"$said"
    case $its_verdict in
    gone)
        # that it ended is the matter: by a signal, or by an error which it may have told
        if [ "$verdict" = pass ]; then
            verdict="wrong exit status"
            if [ "$end" = "exit 0" ]; then verdict="wrong output"; fi
            details="$talk_topic: $talk_said; it ended with $end"$'\n'
            if [ -s "$err" ]; then details+="its stderr: $(head -c 600 "$err" | head -n 5 | tr -cd '[:print:]\n')"$'\n'; fi
        else
            details+="$talk_topic: $talk_said"$'\n'
        fi ;;
    *)
        verdict=$its_verdict
        details="$talk_topic: $talk_said"$'\n'
        if [ -s "$err" ]; then details+="its stderr: $(head -c 600 "$err" | head -n 5 | tr -cd '[:print:]\n')"$'\n'; fi ;;
    esac
}

# In place of that of exercise.bash: noise for connections, and no schedules. One after the other if the port is fixed.
under_instruments() {
    local kind=$1 checks plain=("$out" "$err" "$events" "$end" "$region")
    if [ -n "${JUDGE_REPLAY:-}" ]; then
        echo "a server is not run under schedules: its clients come from outside" >>"$VERDICT_FILE.drawing"
        return 0
    fi
    [ -z "${JUDGE_PLAIN:-}" ] || return 0
    checks=$(grep -c '^@test' "$BATS_TEST_FILENAME")
    case $where:${arguments[0]:-} in PORT:[1-9]*) one_at_a_time=1 ;; *) one_at_a_time= ;; esac
    side_by_side under_noise under_sanitizers
    if [ "$verdict" = pass ]; then out=${plain[0]} err=${plain[1]} events=${plain[2]} end=${plain[3]} region=${plain[4]}; fi
}

under_noise() {
    local seed
    for ((seed = 1; seed <= 2 + more_noises; seed++)); do
        # 1 and 2 for each check; the others are shared among the checks
        [ "$seed" -le 2 ] || [ $((seed % checks)) -eq $((BATS_TEST_NUMBER % checks)) ] || continue
        again "$kind" plain --env "NETWORK_NOISE=$seed"
        [ "$verdict" = pass ] && continue
        judge_events
        details="under noise $seed: $details"
        hint_of_noise "$seed"
        return 0
    done
}

hint_of_noise() {
    case $1 in
    1) sure_hint="it fails when signals interrupt its calls: accept, poll, recv and the like may end with EINTR; that is no error, make the call again" ;;
    2) sure_hint="it fails when recv and send take fewer bytes than asked for (short counts): each of them says how many it took; go on with the rest" ;;
    esac
}

under_sanitizers() {
    local build io_sync=0
    # ThreadSanitizer takes each send for a message to each later recv, whoever sent it to whom: then two clients that talk in
    # turns would order what their threads do. Without it, threads that talk over a pipe would seem unordered.
    if code_only | grep -qwE 'pipe|pipe2|socketpair|eventfd'; then io_sync=1; fi
    for build in asan tsan; do
        if [ "$verdict" != pass ] || [ ! -x "$compiled/$build" ]; then continue; fi
        run_sanitizer "$kind" $build "TSAN_OPTIONS=detect_deadlocks=0:atexit_sleep_ms=0:io_sync=$io_sync"
    done
}

# A port that is free now, below those that the kernel gives out by itself.
free_port() {
    local port
    for ((port = 10000 + (RANDOM * 7 + BASHPID) % 20000; ; port++)); do
        if ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port"; return; fi
    done
}

# The answer's code, without comments and blank lines.
code_only() {
    "${CC:-gcc}" -fpreprocessed -dD -E -P "$ANSWER" 2>/dev/null || cat "$ANSWER"
}

# What can be said of most servers. A check's own explain() calls it when it knows nothing better.
explain_server() {
    if ! grep -q '^listening on ' "$out"; then
        if grep -q 'Address already in use' "$err"; then
            if [ "$where" != PORT ]; then echo "the name of the socket was there already: unlink() it at the end"; return 0; fi
            echo "connections of the server before it keep the port busy for a minute: set SO_REUSEADDR before bind"
            return 0
        fi
        case $verdict in
        hang | "wrong output") echo "the line \"listening on $([ "$where" = PORT ] && echo "port N" || echo PATH)\" did not come: say() it when listen() has been called, before the first accept()" ;;
        esac
        return 0
    fi
    case $talk_kind in
    refused) echo "it said that it listens, but nobody can connect: bind and listen come first, and with the port that was asked for (htons)" ;;
    accept) echo "it does not take new clients: accept() must be called again and again, whatever its other clients do" ;;
    zombies) echo "a child that has ended is not waited for while the server waits for clients: reap it when SIGCHLD comes (waitpid with WNOHANG, in a loop)" ;;
    descriptors) echo "descriptors are left open: close each of them in the end, in every process that has it; after fork, the parent has a copy of its own" ;;
    address) echo "it listens on all addresses of the machine: bind it to INADDR_LOOPBACK (127.0.0.1), not to INADDR_ANY" ;;
    busy) echo "it waits in a busy loop: when poll or epoll says that something happened, it must be dealt with (also the end of a client), or not be asked for" ;;
    stop) echo "SIGTERM does not end it: does the handler's flag, or the pipe or signalfd, wake the call that waits? Do its children end, too, with their clients still connected?" ;;
    name) echo "a Unix socket's name stays when the socket is closed: unlink() it at the end, or the next server cannot bind to it" ;;
    open) echo "it does not end the connection: the server's side is closed only when each process that has a copy of the descriptor has closed it" ;;
    esac
    case $verdict$end in
    "crashkilled by SIGPIPE") echo "it wrote to a client that had gone, and SIGPIPE ended it: use send with MSG_NOSIGNAL, or ignore SIGPIPE, and take EPIPE as the end of that client" ;;
    "crashkilled by SIGTERM") echo "SIGTERM ended it by its default action: wait for it (sigaction, or signalfd), end the children and the talks, then end with 0" ;;
    "left behind"*)
        if [ "${talk_kind:-gone}" = gone ]; then echo "when SIGTERM comes, its children must be ended, too, and each must be waited for"; fi ;;
    esac
    if [ "$verdict" = "wrong output" ] && [ -z "$talk_kind" ] && ! cmp -s <(head -n 1 "$out") <(head -n 1 "$want") && [[ $(head -n 1 "$want") != *N1 ]]; then
        if grep -q '^listening on port' "$out"; then echo "it listens on another port than the one that was asked for: the port's two bytes go over the network in another order (htons)"; fi
    fi
    if [ "$talk_kind" = gone ] && grep -q 'Interrupted system call' "$err"; then
        echo "a signal interrupted a call (EINTR), for example SIGCHLD the accept(), and that was taken for an error: make the call again"
    elif [ "$talk_kind" = gone ] && grep -qE 'Broken pipe|Connection reset' "$err"; then
        echo "a client that goes away ends the whole server: EPIPE and ECONNRESET end that client only"
    fi
}
