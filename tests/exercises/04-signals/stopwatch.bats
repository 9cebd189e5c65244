# stopwatch.bats - the checks of the exercise stopwatch.
# shellcheck disable=SC2154,SC2034  # variables of exercise.bash, and those that explain() sees
load ../../lib/exercise
load tools/signals

# How often did the runner (any process but the first) send signal NUMBER to the first process?
sent() {
    awk -v number="$1" '$1 == "start" && !first { first = $2 }
        $1 == "kill" && $3 == first && $2 != first && $4 == number { count++ } END { print count + 0 }' "$events"
}

explain() {
    local presses laps
    presses=$(sent 10) laps=$(grep -c '^lap ' "$out")
    case $end in
    "killed by SIGUSR1" | "killed by SIGTERM" | "killed by SIGCHLD" | "killed by SIGUSR2" | "killed by SIGRT"*)
        echo "${end#killed by } ended main, or a process, that was not ready for it: set the handler, or block the signal, before fork; the runner may be faster than main"
        return ;;
    esac
    case $verdict in
    hang | deadlock)
        if [[ $details == *sigsuspend* ]] && [ "$laps" -eq 0 ]; then
            echo "main waits in sigsuspend, and the signal does not end it: the argument is the set of signals that are BLOCKED during the wait, not those it waits for"
        elif [ "$(count_events fork)" -gt 1 ]; then echo "more than one child was forked: end the runner with _exit"
        elif [ "$presses" -gt "$laps" ] && [ "$presses" -gt 0 ]; then
            echo "a signal came between main's last look and its wait (pause, read, poll ...): it was handled before the wait, and no other one comes; block it and use sigsuspend, which unblocks and waits in one step"
        elif [ "$presses" -lt "$n" ]; then
            echo "the runner waits for main, and main for the runner: after each press that main has counted, it must tell the runner"
        else echo "SIGTERM came just before main's wait (pause, read, poll ...), or was not sent: block it and use sigsuspend, which unblocks and waits in one step"
        fi ;;
    "left behind")
        if [[ $details == descriptor* ]]; then return; fi
        echo "the runner was not waited for: call waitpid for it, and again when a signal interrupts that (EINTR)" ;;
    *)
        if [ "$(count_events fork)" -eq 0 ]; then echo "no runner was started: the signals must come from a child"
        elif grep -q 'Interrupted system call' "$err"; then return
        elif [ "$presses" -lt "$n" ] && [ "$laps" -ge "$presses" ]; then
            echo "the runner must press once for each lap, with kill(2): it sent SIGUSR1 $presses times, not $n"
        elif [ "$presses" -gt "$n" ]; then
            echo "the runner presses once for each lap: it sent SIGUSR1 $presses times, not $n"
        elif [ -n "$(sort "$out" | uniq -d)" ]; then echo "a line came twice: only main prints, once for each press"
        elif [ "$laps" -lt "$n" ] && [ "$(tail -n 1 "$out")" = "total $laps" ] && [ $((laps + 1)) -eq "$n" ] && ! grep -q "^lap $n\$" "$out"; then
            echo "the last press was lost, because SIGTERM came before main had COUNTED it: main answers a press only when it is counted, and the runner waits for that answer before SIGTERM too"
        elif [ "$laps" -lt "$n" ]; then
            echo "$presses presses were sent, $laps were counted: SIGUSR1 that comes while one is pending, or while your flag is still set, is merged with it; the runner must wait until main has COUNTED the last press"
        elif [ "$laps" -eq "$n" ]; then echo "the laps are right, the last line is not: total K, with the number of presses"
        fi ;;
    esac
    return 0
}

answer() {
    for ((i = 1; i <= $1; i++)); do echo "lap $i"; done
    echo "total $1"
}

judge_laps() {
    answer "$n" | expect
    [ "$(sent 10)" -eq "$n" ] || fail_with "wrong output" "the runner, a child, must press once for each lap, with kill(2): it sent SIGUSR1 to main $(sent 10) times, not $n"
    [ "$(sent 15)" -gt 0 ] || fail_with "wrong output" "the runner must send SIGTERM to main after the last lap, with kill(2)"
}

@test "what the handlers do" {
    n=$(random 4 7)
    look_at_handlers "$n"
}

@test "signals that come at the worst moment" {
    n=$(random 6 9)
    run_at_moment late "$n"
    ! asked_again_and_again || fail_with "wrong call" "main asks again and again, with sleeps or limits between: wait with sigsuspend (or poll, sigwaitinfo ...), which a signal ends"
    judge_laps
}

@test "a few laps, one, none" {
    n=$(random 5 9)
    run_answer "$n"
    judge_laps
    n=1
    run_answer 1
    judge_laps
    n=0
    run_answer 0
    judge_laps
}

@test "hundreds of laps" {
    n=$(random 300 500)
    run_answer "$n"
    JUDGE_PLAIN=1 judge_laps
}
