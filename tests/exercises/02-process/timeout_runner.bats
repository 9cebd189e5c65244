# timeout_runner.bats - the checks of the exercise timeout_runner.
# shellcheck disable=SC2154,SC2034  # variables of exercise.bash, and those that explain() sees
load ../../lib/exercise
load ../order

# The pid in a kill event may be that of a group (-pid). Prints what is wrong with the signals that were sent:
#   reaped      to a process, or its group, that the caller had waited for
#   alone       SIGTERM or SIGKILL to the target, but not to its group
wrong_signals() {
    awk '
        $1 == "wait" { gone[$2, $3] = 1 }
        $1 == "fork" { child[$3] = 1; delete gone[$2, $3] }
        $1 == "kill" && $4 > 0 {
            pid = $3 < 0 ? -$3 : $3
            if (gone[$2, pid] || $5 == "reaped") reaped = 1
            if ($3 < 0) { group[pid, $4] = 1; groups[pid] = 1; any = 1 }
            if ($3 > 0 && $3 != $2 && ($4 == 15 || $4 == 9)) { alone[++n] = pid; number[n] = $4 }
        }
        END {               # a helper process that only keeps the time may be signalled alone
            for (i = 1; i <= n; i++)
                if (!((alone[i], number[i]) in group) && (alone[i] in groups || !any)) only = 1
            if (reaped) print "reaped"; else if (only) print "alone"
        }' "$events"
}

signal_to() {                   # signal_to NUMBER: was it sent to anyone?
    awk -v number="$1" '$1 == "kill" && $4 == number { found = 1 } END { exit !found }' "$events"
}

say_reaped="a signal was sent to a pid that had been waited for: that pid may already belong to another process; once waitpid has returned it, never signal it or its group"
say_alone="the signal went to the target alone, but it may have children: make it a process group of its own with setpgid, and send to the group: kill(-pid, ...)"
say_itself="the signal reached timeout_runner itself: call setpgid, so that the target has a process group of its own, and send to that group only: kill(-pid, ...)"
say_alarm="SIGALRM ended timeout_runner itself: a process that calls alarm needs a handler for it (sigaction, without SA_RESTART)"

explain() {
    local signals
    signals=$(wrong_signals)
    case $verdict in
    hang | deadlock)
        if [ "$kind" = ends ] && ! awk '$1 == "fork" { child[$3] = 1 } $1 == "exit" { ended[$2] = 1 }
            END { for (c in child) if (c in ended) exit 0; exit 1 }' "$events"; then
            echo "the child has not ended, but goes on in its parent's code: end it with _exit(target->run(status))"
        elif [ "$kind" = ends ]; then echo "the target had ended at once, but timeout_runner still waited: its end must be noticed as soon as it comes, not after T_MS"
        elif ! signal_to 15 && ! signal_to 9; then echo "the limit was over, but no signal was sent: do not wait without a limit before you send SIGTERM"
        elif [ "$kind" = stubborn ] && ! signal_to 9; then echo "the target ignores SIGTERM: send SIGKILL when it has not ended G_MS later"
        elif [ "$signals" = alone ]; then echo "$say_alone"
        elif [ "$kind" != polite ] && [[ $details == *"waits in pause"* ]]; then
            echo "a signal was sent, but did not reach the target: is there a process group with its pid? make it with setpgid, in the child and in the parent"
        else echo "SIGTERM was sent, but timeout_runner still waits: the target's end must be noticed as soon as it comes, not after G_MS"; fi ;;
    "left behind")
        case $end in
        "killed by SIGTERM" | "killed by SIGKILL") echo "$say_itself"; return ;;
        "killed by SIGALRM") echo "$say_alarm"; return ;;
        esac
        if grep -q 'No such process' "$err"; then
            echo "there is no such process group: make it with setpgid, in the child and in the parent, before any signal is sent"
        elif [ "$signals" = alone ]; then
            echo "$say_alone; one process of the family was left"
        elif [ "$kind" = stubborn ] && ! signal_to 9; then
            echo "the target ignores SIGTERM: send SIGKILL when it has not ended G_MS later, and wait for it"
        elif [ "$kind" = family ]; then
            echo "one process of the family was not ended by SIGTERM: let the child call setpgid before it calls the target, and send to the group: kill(-pid, ...)"
        elif [[ $details == *"still runs"* ]]; then
            echo "a process of the target's family still runs: call setpgid in the child too, before the target runs, and send every signal to the group"
        else
            echo "the target was not waited for: call waitpid on every path, also after a signal"
        fi ;;
    *)
        case $end in
        "killed by SIGTERM" | "killed by SIGKILL") echo "$say_itself"; return ;;
        "killed by SIGALRM") echo "$say_alarm"; return ;;
        esac
        if [ "$signals" = reaped ]; then echo "$say_reaped"
        elif grep -Eq 'No child process|ECHILD' "$err"; then
            echo "a process waited for a child that it does not have: end the child with _exit(target->run(status)), and do not wait again for one that was reaped"
        elif [ "$(count_events fork)" -eq 0 ]; then echo "the target was not started in a child of its own"
        elif [ "$(count_events wait)" -eq 0 ]; then echo "how the target ended is known only from the status that waitpid gives"
        elif grep -q 'No such process' "$err"; then
            echo "there is no such process group: make it with setpgid, in the child and in the parent, before any signal is sent"
        elif [ "$(sort "$out" | uniq -d)" ]; then echo "a line came twice: the child must end with _exit(target->run(status)), and say() prints without a buffer"
        elif [ "$kind" = stops ] && grep -q 'killed by signal 9' "$out"; then
            echo "SIGKILL came first: the target must get SIGTERM, and G_MS to end, before SIGKILL"
        elif [ "$kind" = polite ] && grep -q 'killed by signal' "$out"; then
            echo "polite cleans up at SIGTERM and then ends with an exit status: wait up to G_MS before SIGKILL, and print how it really ended"
        elif [ "$kind" = family ] && grep -q 'killed by signal 9' "$out"; then
            if [ "$signals" = alone ]; then echo "$say_alone"
            else echo "SIGTERM did not reach the whole group: let the child call setpgid before it calls the target"; fi
        elif [ "$kind" = ends ] && grep -q 'out of time' "$out"; then echo "the target ended by itself, in time"
        elif [ "$kind" != ends ] && grep -q 'in time' "$out"; then echo "the target did not end in time: you had to send SIGTERM"
        elif [ "$kind" = ends ]; then echo "the status is not that of the target: keep what waitpid wrote, ask WIFEXITED, then take WEXITSTATUS or WTERMSIG"
        else echo "print how the target really ended: what waitpid gave, not which signal was sent"; fi ;;
    esac
    return 0
}

# judge_target KIND T_MS G_MS TARGET STATUS LINE
#   KIND: ends (by itself), stops (at SIGTERM), polite, stubborn, family
judge_target() {
    kind=$1
    shift
    if [ -n "${child_first:-}" ]; then run_in_order child --time 3000 "$1" "$2" "$3" "$4"
    else run_answer --time 3000 "$1" "$2" "$3" "$4"; fi
    if [ "$verdict" = pass ] && [ "$(wrong_signals)" = reaped ]; then
        fail_with "wrong call" "$say_reaped"
    fi
    expect <<<"$3: $5"
    if [ "$kind" = stubborn ] && [ "$(wrong_signals)" = alone ]; then
        fail_with "wrong call" "$say_alone"
    fi
    [ "$(count_events fork)" -gt 0 ] || fail_with "wrong output" "the target was not started in a child of its own"
    if [ "$kind" = ends ]; then return 0; fi
    signal_to 15 || fail_with "wrong call" "no SIGTERM was sent: the target must have a chance to clean up before SIGKILL"
}

@test "targets that end in time" {
    status=$(random 6 250)
    judge_target ends "$(random 50000 90000)" 60000 fails "$status" "in time, exit status $status"
    judge_target ends "$(random 50000 90000)" 60000 killed 3 "in time, killed by signal 9"
    judge_target ends "$(random 50000 90000)" 60000 quick 3 "in time, exit status 0"
}

@test "a target that blocks gets SIGTERM" {
    judge_target stops "$(random 30 60)" "$(random 60000 90000)" slow 3 "out of time, killed by signal 15"
}

@test "a target that cleans up at SIGTERM is given the time" {
    status=$(random 6 250)
    judge_target polite "$(random 30 60)" "$(random 60000 90000)" polite "$status" "out of time, exit status $status"
}

@test "a target with a child of its own" {
    judge_target family "$(random 30 60)" "$(random 1000 1500)" family 3 "out of time, killed by signal 15"
    child_first=1
    judge_target family "$(random 60 90)" "$(random 1000 1500)" family 3 "out of time, killed by signal 15"
}

@test "a target that ignores SIGTERM gets SIGKILL" {
    judge_target stubborn "$(random 30 60)" "$(random 30 60)" stubborn 3 "out of time, killed by signal 9"
}
