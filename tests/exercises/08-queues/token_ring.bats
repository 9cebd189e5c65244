# token_ring.bats - the checks of the exercise token_ring.
# shellcheck disable=SC2154,SC2034  # variables of exercise.bash, and those that explain() sees
load ../../lib/exercise
load queues

# answer START LIMIT ADD...: what must be printed.
answer() {
    local value=$1 limit=$2 i=0
    shift 2
    while [ $i = 0 ] || [ "$value" -lt "$limit" ]; do
        value=$((value + ${@:i % $# + 1:1}))
        echo "process $((i % $# + 1)) (pid P$((i % $# + 1))): $value"
        i=$((i + 1))
    done
    echo "all $# processes have ended"
}

say_begin="all wait for the token, and nobody has it: somebody must put START into the pipe that process 1 reads, before it waits itself"
say_end="the token is where it stays, and the others still wait for it: when one process ends, the next one must see it. A read sees the end of file only when EVERY write end of that pipe is closed: each process keeps only the two ends that it uses, and main keeps none"
say_early="a process prints its line after it has passed the token on: then the next one may be quicker. Print first, then write"
say_beyond="somebody wrote to a process that has ended already (EPIPE): what tells the others that the game is over must stop at the one before the process that ended it, and the token must not be passed on at LIMIT"

explain_hang() {
    local lines wanted
    lines=$(grep -c '^process ' "$out") wanted=$(grep -c '^process ' "$want")
    if others_forked; then echo "$say_runs_on"
    elif [ "$lines" = 0 ]; then echo "$say_begin"
    elif cmp -s <(head -n "$wanted" "$want") <(grep '^process ' "$out" | rename); then echo "$say_end"
    else explain_lines
    fi
}

# pids, as the block has them: by the number of the process
rename() { sed -E 's/^process ([0-9]+) \(pid [0-9]+\)/process \1 (pid P\1)/'; }

# Are there more pids than processes?
pids_change() {
    local pids numbers
    pids=$(sed -nE 's/^process [0-9]+ \(pid ([0-9]+)\).*/\1/p' "$out" | sort -u | wc -l)
    numbers=$(sed -nE 's/^process ([0-9]+) .*/\1/p' "$want" | sort -u | wc -l)
    [ "$pids" -gt "$numbers" ]
}

explain_lines() {
    local lines wanted got=$stage/got
    rename <"$out" >"$got"
    lines=$(grep -c '^process ' "$got") wanted=$(grep -c '^process ' "$want")
    if pids_change; then
        echo "a process has another pid at its next turn: the processes are started once, and stay for the whole game"
    elif cmp -s <(sort "$got") <(sort "$want"); then
        if ! tail -n 1 "$got" | grep -q '^all '; then echo "main says that all have ended before it has waited for them"
        else echo "$say_early"; fi
    elif [ "$lines" -gt "$wanted" ] && cmp -s <(head -n "$wanted" "$got") <(head -n "$wanted" "$want"); then
        if [ "$lines" -eq $((wanted + 1)) ] && [ "$exact" = 1 ]; then
            echo "the token went one process too far: LIMIT itself is reached too, so it is value >= LIMIT"
        else
            echo "the token went on after LIMIT was reached, an extra lap or a part of it: every process must look, not only the first or the last one, and then it must not pass the token on"
        fi
    elif [ "$lines" -lt "$wanted" ] && cmp -s <(head -n "$lines" "$got") <(head -n "$lines" "$want"); then
        if [ "$lines" = 0 ]; then echo "no process has printed its line: see what was said on stderr"
        else echo "the game ended too early: the token goes round until it is LIMIT or more, and whoever reaches it still prints it"; fi
    else
        awk -v start="$start" '
            FILENAME == ARGV[1] { if (/^process/) want[FNR] = $0; next }
            /^process/ {
                n++
                split($0, got, /[ :()]+/); split(want[n], right, /[ :()]+/)
                if ($0 == want[n] || told) next
                told = 1
                if (got[2] != right[2]) print "process " got[2] " had the token when it was the turn of process " right[2] ": each one reads a pipe of its own, and writes the one that the next process reads, the last one that of process 1, which begins; from a pipe that several read, anybody takes the token"
                else if (n == 1) print "the token begins as START, and process 1 adds its ADD before it prints"
                else print "the value is wrong: it must travel in the message. After fork each process has its own copy of every variable, also of a global: what one adds there, the others never see"
            }
            END { if (!told) print "the processes are right, but another line is wrong: print only what the task says" }' "$want" "$got"
    fi
}

explain_deadlock() { explain_hang; }

explain() {
    case $verdict in
    hang) explain_hang ;;
    "wrong call") echo "$say_busy" ;;
    "left behind" | "over the limit")
        if others_forked; then echo "$say_runs_on"
        else echo "main must wait for every process: one waitpid for each"; fi ;;
    "wrong exit status" | crash)
        if wrote_to_nobody; then echo "$say_beyond"
        elif [ "$(count_events kill)" -gt 0 ]; then
            echo "a process was ended by a signal: each one must end by itself, with exit code 0, when it sees that the game is over"
        fi ;;
    "wrong output")
        if [ "$(count_events fork)" -eq 0 ]; then echo "no process was started: fork one for each ADD"
        elif others_forked; then echo "$say_runs_on"
        elif wrote_to_nobody; then echo "$say_beyond"
        else explain_lines
        fi ;;
    esac
    return 0
}

# ring LAPS AT OVER START ADD...: the token stops AT a process, in the lap after LAPS whole ones; it is OVER more than LIMIT.
ring() {
    local laps=$1 at=$2 over=$3 add value i
    shift 3
    start=$1
    shift
    value=$start
    for ((i = 0; i < laps * $# + at; i++)); do value=$((value + ${@:i % $# + 1:1})); done
    exact=$((over == 0))
    run_answer "$start" $((value - over)) "$@"
    answer "$start" $((value - over)) "$@" | expect
    expect_parallel $#
    expect_no_kill "a process was ended by a signal: each one must end by itself, with exit code 0, when it sees that the game is over"
}

adds() { local i; for ((i = 0; i < $1; i++)); do random 2 9; done; }

@test "some laps, and the end in the middle of one" {
    local count
    count=$(random 4 5)
    # shellcheck disable=SC2046
    ring 2 "$(random 2 $((count - 2)))" 0 "$(random 0 9)" $(adds "$count")
    # shellcheck disable=SC2046
    ring 1 1 1 "$(random 0 9)" $(adds 3)
}

@test "one process, two, and the limit reached at once" {
    # shellcheck disable=SC2046
    hold=1 JUDGE_PLAIN=1 ring 1 2 0 "$(random 0 9)" $(adds 3)
    # shellcheck disable=SC2046
    ring "$(random 2 4)" 2 1 "$(random 0 9)" $(adds 2)
    # shellcheck disable=SC2046
    ring "$(random 2 4)" 1 0 "$(random 10 99)" $(adds 1)
    # shellcheck disable=SC2046
    ring 0 1 5 "$(random 10 99)" $(adds 4)
}

@test "many laps" {
    # shellcheck disable=SC2046
    JUDGE_PLAIN=1 ring "$(random 20 30)" "$(random 2 15)" 1 0 $(adds 16)
}
