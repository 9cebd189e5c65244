# counter_service.bats - the checks of the exercise counter_service.
# shellcheck disable=SC2154,SC2034,SC2028  # variables of exercise.bash and server.bash; the \n are for the talker
load ../../lib/exercise
load ../../lib/server
room=0

explain() {
    case $talk_topic:$talk_kind in
    *:zombies | *:descriptors | *:busy | *:refused | *:accept | *:stop | *:open | *:gone | *:name | :) false ;;
    "one client:"*) echo "INC adds 1 and is answered by the new value, GET by the value: a number and a newline" ;;
    "a request split over several reads:"*)
        echo "one recv is not one request: it gives what has come so far; keep a beginning, for each client, until its newline is there" ;;
    "several requests in one read:"*)
        echo "one recv may give several requests: each of them is carried out and gets its reply, and a beginning at the end is kept" ;;
    "a large number:"*) echo "the counter goes on after 127 and 255, and a reply has room for all its digits: count in a long" ;;
    "half a request at the end:reset") echo "at the end of a client, read what it has sent until recv gives 0; then end the connection" ;;
    "half a request at the end:"*) echo "what comes without a newline at the end is no request: it does not count, and gets no reply" ;;
    "a request that nobody knows:"*) echo "a line that is neither INC nor GET gets the reply ERROR, and the connection goes on" ;;
    "several clients, one counter:bytes")
        if [ "$(count_events fork)" -gt 0 ] && ! code_only | grep -qE 'share *\(|mmap|shm_open'; then
            echo "each process has a counter of its own: after fork memory is a copy; put it into shared memory, or let one process do all"
        else
            echo "there is one counter for all clients, and it is never set back; each INC counts once"
        fi ;;
    "two halves of two requests:"*) echo "each client has a beginning of its own: a buffer that all share mixes them" ;;
    "several clients, one counter:"* | "a client with half a request:"*)
        echo "a client waits for another one: take what recv gives, without waiting for the rest, and go on with whoever is ready (poll); or a thread or process for each client" ;;
    "a request without an end:memory") echo "it keeps all that comes without a newline: a request has 15 bytes at most, so more need not be kept" ;;
    "a request without an end:"*) echo "a request has 15 bytes at most: at byte 16 the reply is ERROR, and the connection is ended, without waiting for a newline" ;;
    "a client that takes no replies:"*) echo "the server waits until one client takes its replies; the others must get theirs meanwhile" ;;
    "INC of clients that have gone:bytes") echo "an INC counts, even when nobody takes its reply any more" ;;
    *) false ;;
    esac || explain_server
}

@test "requests, whatever the pieces" {
    local i
    {
        cat <<'END'
# one client
open a
send a GET\n
expect a 0\n
send a INC\n
expect a 1\n
# a request split over several reads
send a IN
silent a
send a C\n
expect a 2\n
pieces a 1 INC\nGET
expect a 3\n
silent a
send a \n
expect a 3\n
# several requests in one read
send a INC\nGET\nINC\n
expect a 4\n4\n5\n
send a INC\nIN
expect a 6\n
silent a
send a C\n
expect a 7\n
send a *60 INC\n
END
        for ((i = 8; i <= 67; i++)); do echo "expect a $i\\n"; done
        echo "# a large number"
        for ((i = 68; i <= 267; i++)); do
            if ((i % 50 == 18)); then echo "send a *50 INC\\n"; fi
            echo "expect a $i\\n"
        done
        cat <<'END'
# a request that nobody knows
send a INCR\nGE\nget\n\nGET \nIN\0\nINC\0\nfifteen letters\nGET\n
expect a ERROR\nERROR\nERROR\nERROR\nERROR\nERROR\nERROR\nERROR\n267\n
half a
eof a
END
    } >script
    serve --at counter script counter
}

@test "many clients" {
    local i n=0 who adds
    {
        echo "# several clients, one counter"
        for who in a b c d e f g h i j; do printf 'open %s\n' $who; done
        for ((i = 0; i < 20; i++)); do
            who=$(tr 0-9 a-j <<<"$(random 0 9)") adds=$(random 0 1)
            n=$((n + adds))
            if [ "$adds" = 1 ]; then echo "send $who INC\\n"; else echo "send $who GET\\n"; fi
            echo "expect $who $n\\n"
        done
        cat <<END
# two halves of two requests
send a IN
settle
send b GE
settle
send a C\n
expect a $((n + 1))\n
send b T\n
expect b $((n + 1))\n
# half a request at the end
open k
send k INC
half k
eof k
close k
send b GET\n
expect b $((n + 1))\n
# a client with half a request
send a IN
settle
send b GET\n
expect b $((n + 1))\n
# a client that takes no replies
deaf c
queue c *20000 GET\n
settle
send b GET\n
expect b $((n + 1))\n
close c
settle
# what clients leave
mark
END
        for i in 1 2 3 4; do printf 'open k\nsend k GET\\n\nexpect k %d\\n\nhalf k\neof k\nclose k\nsettle\n' $((n + 1)); done
        cat <<END
children
level 0
# INC of clients that have gone
END
        for i in 1 2 3; do printf 'open k\nfreeze\nsend k INC\\n\nclose k\nthaw\nsettle\n'; done
        cat <<END
open k
settle
freeze
send k *20 GET\n
close k
thaw
settle
send b GET\n
expect b $((n + 4))\n
children
level 0
# a request without an end
open k
mark
send k 1234567890123456
expect k ERROR\n
over k
open l
queue l *3000000 x
expect l ERROR\n
over l
close l
close k
memory 2
send b INC\n
expect b $((n + 5))\n
send a C\n
expect a $((n + 6))\n
# the end, with clients that stay
stop
over a
over d
END
    } >script
    serve --at counter script counter
}
