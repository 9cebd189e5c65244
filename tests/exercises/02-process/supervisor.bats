# supervisor.bats - the checks of the exercise supervisor.
# shellcheck disable=SC2154,SC2034  # variables of exercise.bash, and those that explain() sees
load ../../lib/exercise
load ../order

# answer WORKER...: what must be printed. Also makes the files starts (all starts together), and codes
# (the exit statuses of the starts that fail), which the events are compared with.
answer() {
    local word failures number=0 starts all=0 code=0 end
    : >codes
    for word; do
        number=$((number + 1))
        failures=${word%k}
        [ "$word" != w ] || failures=0
        starts=$((failures >= 4 ? 4 : failures + 1))
        all=$((all + starts))
        end="done, starts $starts"
        if [ "$failures" -ge 4 ]; then
            code=1
            if [ "$word" = "$failures" ]; then end="gave up, starts 4, exit status $((10 * number + 4))"
            else end="gave up, starts 4, killed by signal 9"; fi
        fi
        if [ "$word" = "$failures" ]; then
            for ((start = 1; start <= starts && start <= failures; start++)); do echo $((10 * number + start)); done >>codes
        fi
        echo "worker $number: $end"
    done
    [ $code = 0 ] || echo "exit 1"
    echo $all >starts
}

# Which processes other than the first one have forked?
others_forked() {
    awk '$1 == "start" && !first { first = $2 } $1 == "fork" && $2 != first { print $2 }' "$events" | sort -u
}

explain_hang() {
    local unseen
    unseen=$(awk '$1 == "exit" && $3 > 10 { code[$2] = $3 } $1 == "wait" { delete code[$3] }
                  END { for (pid in code) { print int(code[pid] / 10); exit } }' "$events")
    if [ -n "$unseen" ]; then
        echo "worker $unseen has failed, but nobody waits for it, so it is not started again: the supervisor waits for one certain worker first; wait for whichever ends: waitpid(-1, ...)"
    elif [ "$(most_children)" -lt 2 ]; then
        echo "the workers do not run at the same time: start them all before you wait for the first"
    else
        echo "the status of a worker was lost, taken for that of another, or not looked at while others still ran: the pid that waitpid returns tells whose status it is, and a worker that failed is started again at once"
    fi
}

# The first line that differs, told as the mistake that makes such lines.
explain_lines() {
    awk -v killed="$killed" '
        function part(text, name,  at) { at = index(text, name " "); return at ? substr(text, at + length(name) + 1) + 0 : "none" }
        NR == FNR { if ($1 == "worker") want[$2 + 0] = $0; next }
        $1 == "worker" { got[$2 + 0] = $0; if (seen[$2 + 0]++) twice = 1; lines++ }
        END {
            for (i = 1; i in want; i++) total = i
            if (twice) { print "a worker is told of twice: a child that does not end with _exit(worker(...)) goes on as a second supervisor"; exit }
            if (lines < total) { print "there must be one line a worker, " total " in all; see what was said on stderr"; exit }
            for (i = 1; i <= total && want[i] == got[i]; i++)
                ;
            if (i > total) { print "the lines must come in the order of the arguments, and nothing else with them"; exit }
            w = part(want[i], "starts"); g = part(got[i], "starts")
            if (want[i] ~ /killed/ && got[i] ~ /exit status/ || index(killed, " " i " ") && got[i] ~ /done/ && g < w)
                print "worker " i " was killed by a signal, which is a failure too: ask WIFEXITED before WEXITSTATUS, and WIFSIGNALED"
            else if (want[i] ~ /done/ && w == 1 && g > 1 && got[i] ~ /gave up|done/)
                print "worker " i " succeeded, and was started again: exit status 0 is success; check also that worker() is given its own attempt, from 1 on"
            else if (want[i] ~ /done/ && g == w - 1 && got[i] ~ /done/)
                print "worker " i " was started " w " times in all: count the first start too, not only those that came after a failure"
            else if (g > 4) print "worker " i " was started more than 4 times: after a failure it is started again at most 3 times"
            else if (want[i] ~ /gave up/ && g < 4 || got[i] ~ /gave up/ && g < 4) print "the supervisor gave up on worker " i " after " g " starts: after its first start it is started again up to 3 times, and each worker has its own count"
            else if (want[i] ~ /done/ && got[i] ~ /gave up/) print "the supervisor gave up on worker " i ", which succeeded at the last: look up the pid that waitpid returns, to know whose status you have"
            else if (w == g && want[i] ~ /exit status/ && got[i] ~ /exit status/)
                print (part(got[i], "exit status") >= 256 ? "that is the whole wait status: take the exit status out of it with WEXITSTATUS" : \
                    "the exit status of worker " i " is not that of its last start: keep the status that waitpid gave for its pid")
            else if (w == g && want[i] ~ /gave up/ && got[i] ~ /done/) print "worker " i " failed at its last start too: then it is not done"
            else print "worker " i " is told wrongly: count its starts, and keep its last status, under the pid that waitpid returns"
        }' "$want" "$out"
}

explain() {
    case $verdict in
    hang | deadlock) explain_hang ;;
    "left behind")
        if [ -n "$(others_forked)" ]; then
            echo "a child started workers of its own: end each child with _exit(worker(...))"
        else
            echo "a worker was not waited for: wait for every start, also for the last one of a worker that you give up on, before the program ends"
        fi ;;
    "over the limit") echo "processes without end: end each child with _exit(worker(...)), and start a worker at most 4 times" ;;
    "wrong exit status") echo "the exit status is 0 if all workers are done, 1 if the supervisor gave up on one" ;;
    "wrong output")
        if [ "$(count_events fork)" -eq 0 ]; then echo "no worker was started"
        elif [ -z "$(others_forked)" ] && grep -Eq 'No child process|ECHILD' "$err"; then
            echo "it waits for a worker that was waited for before, and the status it got then is lost: the pid that waitpid returns tells whose status it is"
        elif [ -n "$(others_forked)" ] && { grep -Eq 'No child process|ECHILD' "$err" || [ "$(count_events fork)" -gt $(($(cat starts) + $(wc -l <"$want"))) ]; }; then
            echo "a child went on as a second supervisor: end each child with _exit(worker(...))"
        else explain_lines; fi ;;
    esac
    return 0
}

# What the events say: the workers were really started, as often as was told.
expect_starts() {
    local forks starts
    forks=$(count_events fork)
    starts=$(cat starts)
    if [ "$forks" -eq 0 ]; then
        fail_with "wrong output" "no worker was started"
    elif [ "$forks" -lt "$starts" ]; then
        fail_with "wrong output" "$starts starts were needed, but only $forks processes were forked"
    elif [ -z "$(others_forked)" ] && [ "$forks" -gt "$starts" ]; then
        fail_with "wrong output" "$forks processes were forked for $starts starts: a worker that succeeded, or had its 4 starts, is not started again"
    elif ! awk 'NR == FNR { if ($1 == "exit") n[$3]++; next } --n[$1] < 0 { exit 1 }' "$events" codes; then
        fail_with "wrong output" "the children must end with the exit status that worker() returns: _exit(worker(number, attempt))"
    fi
}

# judge_workers WORKER...
judge_workers() {
    local i=0 word
    killed=' '
    for word; do i=$((i + 1)); case $word in *k) killed+="$i " ;; esac; done
    if [ -n "${last_first:-}" ]; then run_in_order "last:$#" "$@"; else run_answer "$@"; fi
    answer "$@" >expected
    expect <expected
    expect_starts
}

@test "workers that all succeed run at the same time" {
    count=$(random 3 5)
    words=(); for ((i = 0; i < count; i++)); do words+=(0); done
    last_first=1                # the last worker ends first
    judge_workers "${words[@]}"
    expect_parallel "$count"
}

@test "one worker that fails, then succeeds" {
    judge_workers "$(random 1 3)k"
    judge_workers 3
}

@test "one worker that never succeeds" {
    judge_workers "$(random 5 9)"
    judge_workers "$(random 4 9)k"
}

@test "a worker is started again while another still runs" {
    judge_workers w "$(random 1 3)"
    judge_workers "$(random 1 3)" w
    judge_workers 2 "$(random 2 3)"
}

@test "many workers of all kinds" {
    judge_workers w "$(random 1 3)" "$(random 4 9)k" 0 "$(random 1 3)k" w "$(random 4 9)"
}
