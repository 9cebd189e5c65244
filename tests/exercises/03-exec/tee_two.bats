# tee_two.bats - the checks of the exercise tee_two. What is expected, the machine's own sh says.
# shellcheck disable=SC2154,SC2034,SC2016  # variables of exercise.bash and those that explain() sees; scripts for sh
load ../../lib/exercise

# lines COUNT: so many lines of about 20 bytes each.
lines() {
    awk -v count="$1" -v state="$(random 1 1000000)" '
        function next_one(n) { state = (state * 69069 + 1) % 1048576; return int(state / 1048576 * n) }
        BEGIN {
            split("apple pear plum lemon cherry fig date melon grape quince", fruit)
            for (i = 1; i <= count; i++) print next_one(900000) + 100000, fruit[next_one(10) + 1], i
        }'
}

# result NUMBER CODE: the line that tell() prints, and the output, which is in out.NUMBER.
result() {
    if [ "$2" -gt 128 ]; then echo "$1: killed by signal $(($2 - 128)), $(wc -c <"out.$1") bytes"
    else echo "$1: exit status $2, $(wc -c <"out.$1") bytes"; fi
    cat "out.$1"
}

# The schedules and the noise take time, and the programs are not under them: where others are alike, one run is
# enough (JUDGE_PLAIN=1).
# judge_two INPUT COMMAND1 COMMAND2: sh runs the commands too, beside each other, for they may wait for each other.
judge_two() {
    local input=$1 folder code1=0 code2=0
    shift
    commands=("$@") size=$(wc -c <"$input")
    for folder in as_sh "$stage/at"; do     # two pipes with a name, for "I have come so far"
        mkdir -p "$folder"
        rm -f "$folder/go1" "$folder/go2"
        mkfifo "$folder/go1" "$folder/go2"
    done
    {
        (cd as_sh && exec env -i PATH=/usr/local/bin:/usr/bin:/bin LC_ALL=C sh -c "$1") <"$input" >out.1 2>/dev/null &
        (cd as_sh && exec env -i PATH=/usr/local/bin:/usr/bin:/bin LC_ALL=C sh -c "$2") <"$input" >out.2 2>/dev/null || code2=$?
        wait $! || code1=$?
    } 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- 2>/dev/null
    run_answer --time 8000 --stdin "$input" "$@"
    {
        result 1 $code1
        result 2 $code2
        [ $((code1 + code2)) = 0 ] || echo "exit 1"
    } | expect
}

first_process() { awk '$1 == "start" { print $2; exit }' "$events"; }

say_gave_up="tee_two gave up, because for a while nothing could be done: a program may take its time; wait in poll without a limit (-1)"

explain_hang() {
    local first
    first=$(grep "^the first process" <<<"$details")
    if [ "$(count_events fork)" -lt 2 ] && [ "$(count_events fork)" -gt 0 ]; then
        echo "the second program was not started: start both, and only then send, collect and wait; both run at the same time"
    elif [[ $details == "it had not ended"* ]] && [[ $first == *"is running"* || $first != *"waits in"* ]]; then
        echo "tee_two goes round and round: at its end a pipe says POLLHUP or POLLERR, not POLLIN or POLLOUT; when revents is not 0, read or write: end of file (0) or EPIPE tells that it is over; close it then, and set its fd to -1; and when all is sent, close that end too"
    elif [ "$kind" = slow ]; then
        echo "$say_gave_up"
    elif grep -qE "^pid ([0-9]+) .*waits in read on descriptor 0, .* is held by.* pid \1 " <<<"$details"; then
        echo "a program holds the write end of its own input, so it never sees end of file: close it in the child, before exec"
    elif grep -qE "^pid ([0-9]+) .*waits in read on descriptor 0, .* is held by pid" <<<"$details"; then
        echo "a program holds a write end of the other one's input (see below), which then never ends: each child must close, before exec, all ends that are not its own, also those of the program that was started before"
    elif [[ $first == *"waits in write"* ]]; then
        echo "tee_two waits in write until ALL its bytes fit into the pipe; meanwhile it neither reads what the programs print nor sends to the other one: make that end O_NONBLOCK, and wait only in poll"
    elif grep -q "waits in read on descriptor 0, .* held by the first process" <<<"$details" && [[ $first != *"waits in read"* ]] &&
        { [ "$kind" = small ] || [[ "$kind $first" == "large "*"waits in poll"* ]]; }; then
        echo "a program waits for the end of its input, but tee_two still holds the write end: close it when all is sent (also when there was nothing to send)"
    elif [[ $details == *zombie* ]] && ! grep -q '^pid .* waits' <<<"$details" && [[ $first != *"waits in wait"* ]]; then
        echo "both programs have ended, but tee_two sees no end of an output, since it holds the write end itself: close it after fork"
    elif [[ $first == *"waits in wait"* ]]; then
        echo "tee_two waits for a program to end, while the program waits for tee_two to read its output, or to close its input: first send and collect, then wait"
    elif [[ $first == *"waits in read"* ]] && grep -q "^pid .* waits in write" <<<"$details"; then
        echo "tee_two reads the output of one program to its end, while the other one cannot go on, because its output is full: poll both, and read whichever has something"
    elif [[ $first == *"waits in read"* ]] && grep -q "waits in read on descriptor 0, .* held by the first process" <<<"$details"; then
        echo "tee_two waits in read for output, while a program waits for its input, or the end of it: send and collect together, with poll; close the write end when all is sent"
    elif [[ $first == *"waits in read"* && $first == *"held by the first process"* ]]; then
        echo "tee_two itself holds the write end of a program's output, so it never sees its end: close it after fork"
    else
        echo "one program was held up by the other one: send to both, and collect from both, in any order: with poll"
    fi
}

# What was printed, told as the mistake that prints such things.
explain_output() {
    if grep -q '^[0-9]* bytes for: ' "$out"; then
        echo "no program was run: two pipes a program, fork, and exec in the child"
    elif [ "$kind" = sigpipe ] && grep -q 'SIGPIPE is ignored' "$out"; then
        echo "the programs ignore SIGPIPE too: an ignored signal stays ignored at exec; in the child, before exec, set SIGPIPE back to SIG_DFL"
    elif [ "$kind" = stderr ]; then
        echo "only standard output (descriptor 1) is collected; standard error stays as it is: it is tee_two's own"
    elif [ "$kind" = slow ]; then
        echo "$say_gave_up"
    elif [ "$kind" = descriptors ]; then
        echo "a program has more than the descriptors 0, 1 and 2: open the pipes close-on-exec (pipe2 with O_CLOEXEC), or close all ends in the child, also those of the program that was started before"
    elif grep -q 'Broken pipe\|EPIPE' "$err"; then
        echo "EPIPE is no error here: that program reads no more; close its pipe, and go on with the other one"
    elif grep -q 'Resource temporarily\|EAGAIN' "$err"; then
        echo "EAGAIN is no error: nothing fits into the pipe now, or nothing is there to read; ask poll again"
    elif grep -q 'Bad file descriptor' "$err"; then
        echo "a descriptor was closed twice, or too early: after close set its fd to -1, which poll leaves out"
    elif [ "$(count_events fork)" -gt 0 ] && ! grep -q '^[12]: ' "$out" && [ ! -s "$err" ]; then
        echo "nothing was told: print both programs with tell()"
    else
        awk -v size="$size" -v kind="$kind" -v command2="${commands[1]}" '
            FILENAME == ARGV[1] { if (/^[12]: (exit|killed)/) { want[$1] = $0; bytes[$1] = $(NF - 1) } ; next }
            { if (/^[12]: (exit|killed)/) { if (!($1 in got)) order = order $1; got[$1] = $0; gotten[$1] = $(NF - 1) } else if (order == "") early = 1; if (was2 ~ /^2: /) counted = $1; was2 = $0 }
            function how(line) { sub(/, [0-9]+ bytes$/, "", line); sub(/^[12]: /, "", line); return line }
            END {
                if (order == "") print "the lines that tell() prints are missing; see what was said on stderr"
                else if (early) print "output of a program came out directly: it must be collected, so its standard output is a pipe to tee_two (dup2 in the child)"
                else if (order != "1:2:") print "tell of program 1, then of program 2"
                else if (how(want["1:"]) != how(want["2:"]) && how(want["1:"]) == how(got["2:"]) && how(want["2:"]) == how(got["1:"]))
                    print "the two exit statuses are exchanged: wait for the pid of each program, whichever ends first"
                else if (how(want["1:"]) != how(got["1:"]) || how(want["2:"]) != how(got["2:"]))
                    print "an exit status is wrong: give tell() the wait status of that program, as waitpid gave it"
                else if (command2 ~ /^wc -c/ && counted + 0 < size && kind == "stops")
                    print "program 1 read no more, and then program 2 did not get all of its input (" counted " of " size " bytes): only the pipe of the one that reads no more is closed"
                else if (command2 ~ /^wc -c/ && counted + 0 < size)
                    print "a program got " counted " of " size " bytes: write may take fewer bytes than it is given; go on behind those that it took, until all are sent"
                else if (command2 ~ /^wc -c/ && counted + 0 > size)
                    print "a program got more bytes than there are: go on behind those that write took, and send none twice"
                else if (gotten["1:"] + 0 < bytes["1:"] + 0 || gotten["2:"] + 0 < bytes["2:"] + 0)
                    print "not all output was collected (" gotten["1:"] + 0 " of " bytes["1:"] " bytes, and " gotten["2:"] + 0 " of " bytes["2:"] "): read until read returns 0, and send to one even when the other one reads no more"
                else if (gotten["1:"] + 0 == bytes["2:"] + 0 && gotten["2:"] + 0 == bytes["1:"] + 0) print "the two outputs are exchanged"
                else print "the bytes of an output are wrong, or in a wrong order: each program has a pipe and a struct text of its own"
            }' "$want" "$out"
    fi
}

explain() {
    case $verdict in
    hang | deadlock) explain_hang ;;
    crash)
        [ "$end" != "killed by SIGPIPE" ] ||
            echo "a program reads no more, and the next write to it sent SIGPIPE, which ended tee_two: ignore SIGPIPE (sigaction with SIG_IGN); then write returns -1 with EPIPE" ;;
    "left behind")
        if [ "$end" = "killed by SIGPIPE" ]; then
            echo "a program reads no more, and the next write to it sent SIGPIPE, which ended tee_two: ignore SIGPIPE (sigaction with SIG_IGN); then write returns -1 with EPIPE"
        elif grep -q 'Broken pipe\|EPIPE' "$err"; then
            echo "EPIPE is no error here: that program reads no more; close its pipe, and go on with the other one"
        else
            echo "wait for both programs: one waitpid for each pid"
        fi ;;
    "wrong exit status") echo "tee_two ends with 0 if both programs ended with exit status 0, else with 1" ;;
    "wrong output") explain_output ;;
    esac
    return 0
}

@test "two programs, and a little input" {
    kind=small
    lines "$(random 5 30)" >in.txt
    judge_two "$PWD/in.txt" "sort -r; exit $(random 3 9)" "tr a-z A-Z; exit $(random 10 99)"
    # the first one is the last to end
    judge_two "$PWD/in.txt" "cat; exec >&-; read line <go1; exit $(random 3 9)" "wc -l; echo go >go1; kill -s KILL \$\$"
    # the first one ends some time after the second one has: it looks until that one is a zombie, or gone
    JUDGE_PLAIN=1 judge_two "$PWD/in.txt" \
        "cat; exec >&-; read pid <go1; while grep -qs '^State:.[RSD]' /proc/\$pid/status; do :; done; for i in 1 2 3 4 5 6 7 8 9; do env true; done; exit $(random 3 9)" \
        "wc -l; echo \$\$ >go1; exec >&-; kill -s KILL \$\$"
    judge_two /dev/null "wc -c" "cat; echo nothing came"
    kind=stderr
    run_answer --time 8000 --stdin in.txt "cat >/dev/null; echo a word about an error >&2; echo one" "cat >/dev/null; echo two"
    expect <<END
1: exit status 0, 4 bytes
one
2: exit status 0, 4 bytes
two
! a word about an error
END
}

@test "more than a pipe can hold" {
    kind=large
    lines "$(random 12000 14000)" >in.txt
    judge_two "$PWD/in.txt" "cat" "wc -c"
    JUDGE_PLAIN=1 judge_two "$PWD/in.txt" "head -c $(random 200000 250000) /dev/zero | tr '\\000' 'x' | fold; cat" "sort"
    lines "$(random 55000 60000)" >large.txt
    JUDGE_PLAIN=1 judge_two "$PWD/large.txt" "tr a-z A-Z" "cat"
}

@test "programs that do not read everything" {
    kind=stops
    lines "$(random 12000 14000)" >in.txt
    judge_two "$PWD/in.txt" "head -n 1" "wc -c"
    judge_two "$PWD/in.txt" "cat" "exec <&-; head -c $(random 200000 250000) /dev/zero | tr '\\000' 'y' | fold; echo; exit 4"
    JUDGE_PLAIN=1 judge_two "$PWD/in.txt" "exit $(random 3 99)" "true"
    kind=sigpipe commands=("")
    run_answer --time 8000 --stdin in.txt "kill -s PIPE \$\$; echo SIGPIPE is ignored" "kill -s PIPE \$\$; echo SIGPIPE is ignored"
    expect <<END
1: killed by signal 13, 0 bytes
2: killed by signal 13, 0 bytes
exit 1
END
}

@test "neither holds up the other" {
    lines "$(random 12000 14000)" >in.txt
    kind=descriptors
    list='list=; for fd in 0 1 2 3 4 5 6 7 8 9; do if [ -e /proc/$$/fd/$fd ]; then list="$list $fd"; fi; done; echo "descriptors$list"'
    judge_two /dev/null "$list" "$list"
    kind=late
    judge_two "$PWD/in.txt" "read line <go1; cat" "cat; echo go >go1"
    JUDGE_PLAIN=1 judge_two "$PWD/in.txt" "cat; echo go >go2" "read line <go2; cat"
    judge_two "$PWD/in.txt" "read line <go1; exit 3" "wc -l; echo go >go1"
    kind=slow
    JUDGE_PLAIN=1 judge_two "$PWD/in.txt" "cat; sleep 1.2; echo and late" "sleep 1.2; wc -c"
}
