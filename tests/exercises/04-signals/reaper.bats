# reaper.bats - the checks of the exercise reaper.
# shellcheck disable=SC2154,SC2034  # variables of exercise.bash, and those that explain() sees
load ../../lib/exercise
load tools/signals

# plan N: reads lines, prints what the reaper of N children must say for them.
plan() {
    awk -v n="$1" '
        $1 == "end" && NF == 3 { print "child " $2 " ended with exit status " $3; told[$2] = 1; next }
        $1 == "kill" && NF == 2 { print "child " $2 " was killed by signal 9"; told[$2] = 1; next }
        { print "read: " $0 }
        END { for (i = 1; i <= n; i++) if (!told[i]) print "child " i " ended with exit status 0"
              print "all " n " children were reaped" }'
}

# How many children ended by themselves, and were never reaped?
lost_exits() { awk '$1 == "fork" { f[$3] = 1 } $1 == "exit" { e[$2] = 1 } $1 == "wait" { w[$3] = 1 } END { for (p in f) if (p in e && !(p in w)) lost++; print lost + 0 }' "$events"; }
# ... and how many, however they ended, or did not end?
lost_ends() { awk '$1 == "exit" { e[$2] = 1 } $1 == "wait" { w[$3] = 1 } $1 == "fork" { f[$3] = 1 } END { for (p in f) if (!(p in w)) lost++; print lost + 0 }' "$events"; }

say_merged="several children had ended, and one SIGCHLD came for all of them: signals merge; reap in a loop, with waitpid(-1, ..., WNOHANG), until it returns 0 (or -1 with ECHILD)"
say_errno="a signal came when read or poll had just returned -1, and the handler changed errno: a handler must keep errno at its beginning, and put it back at its end"
say_eintr="a signal interrupted read or poll (-1 with errno EINTR), and that was taken for the end of input, or for an error: only a read that returns 0 is the end; read again, or set SA_RESTART"
say_late="a child had ended, but main did not say so while it waited for the next line of input: it must wake up for SIGCHLD too, with poll and a pipe to itself, signalfd or ppoll"
say_between="SIGCHLD came between main's last look and its wait for input: it was handled before the wait, and so did not end it; use a pipe to itself, signalfd or ppoll, which keep it until the wait"

explain() {
    local reads_wanted reads ends forks
    reads_wanted=$(grep -c '^read: ' "$want") reads=$(grep -c '^read: ' "$out") ends=$(grep -c '^child ' "$out") forks=$(count_events fork)
    if [ "$end" = "killed by SIGPIPE" ]; then echo "main wrote to the pipe of a child that had ended (SIGPIPE): is there a child, and is K not off by one?"; return; fi
    case $verdict in
    hang | deadlock)
        if grep -qE '^the first process .*waits in read on descriptor [^0].* held by the first process' <<<"$details"; then
            echo "main waits in read for bytes that only its own handler writes: take out what is there and no more; both ends of the pipe to itself are O_NONBLOCK, and EAGAIN says that it is empty"
        elif [ "$(count_events wait)" -eq 0 ] && [ "$(lost_exits)" -gt 0 ] && [[ $details == "every process"* && $details != *zombie* ]]; then
            echo "the children ended, but there was nothing to reap: with SIG_IGN for SIGCHLD the kernel throws their statuses away; set a handler"
        elif [[ $kind == late || $kind == merge ]] && [ "$(lost_exits)" -eq 0 ] && [ "$ends" -eq 0 ]; then
            if grep -qE 'fgets|getline|getchar' "$ANSWER"; then
                echo "several lines came at once; stdio (fgets, getline) reads ahead into its own buffer, where poll does not see them: use read and take_line"
            else echo "several lines came in one read(), and not all of them were done: call take_line until it returns false"; fi
        elif [ -n "$(comm -13 <(sort "$want") <(sort "$out"))" ]; then
            echo "a line is not as the task says, so the next line of input did not come: print what waitpid gave (WIFEXITED, WIFSIGNALED), with the right child"
        elif { [ "$(lost_exits)" -gt 0 ] || [[ $details == *zombie* ]]; } && { [ "$kind" = merge ] || [ "$reads" -eq "$reads_wanted" ]; }; then echo "$say_merged"
        elif [[ $details == *"waits in waitpid"* || $details == *"waits in wait4"* || $details == *"waits for a child"* ]] && [ "$kind" != merge ]; then
            if [ "$reads" -lt "$reads_wanted" ]; then echo "main waits in waitpid for a child that still runs, and reads no input: ask with WNOHANG, which returns 0 when no other child has ended"
            else echo "after the end of input the children that are left wait for the end of their pipes: every write end must be closed, in main and in each child that inherited one"; fi
        elif [ "$reads" -lt "$reads_wanted" ]; then
            if [ "$(count_events wait)" -eq 0 ] && ! sets_handler; then echo "$say_late"
            else echo "$say_between"; fi
        else echo "after the end of input a child, or main, still waits: every write end of a child's pipe must be closed, in main and in each child that inherited one; then reap until no child is left"
        fi ;;
    "left behind")
        if [[ $details == descriptor* ]]; then return; fi
        if [ "$kind" != merge ] && [ "$(comm -23 <(sort "$want") <(sort "$out"))" = "child $n ended with exit status 0" ]; then
            echo "child $n, which lives up to the end of input, was not waited for: after the end of input main must go on until all children are reaped"
        elif [ "$(lost_ends)" -gt 0 ] && [ "$ends" -lt "$n" ]; then echo "$say_merged"
        else echo "each child must be waited for before main ends"; fi ;;
    *)
        if [ "$forks" -gt "$n" ]; then echo "more than $n children were forked: a child ran on into main's code"
        elif [ "$forks" -lt "$n" ]; then echo "$n children must be started, $forks were"
        elif grep -q 'No child process\|ECHILD' "$err" && [ "$kind" = merge ]; then echo "$say_errno"
        elif grep -q 'Interrupted system call\|EINTR' "$err"; then echo "$say_eintr"
        elif grep -q 'No child process\|ECHILD' "$err"; then echo "waitpid was called when no child was left (ECHILD): that is the end of the loop, not an error"
        elif [ "$kind" = texts ] && [ "$reads" -gt 0 ] && [ "$reads" -lt "$reads_wanted" ]; then
            echo "several lines came in one read(), and not all of them were done: call take_line until it returns false"
        elif [ "$reads" -lt "$reads_wanted" ]; then
            if [ "$end" = "exit 0" ] && [ ! -s "$err" ] && [ "$ends" -eq "$n" ]; then
                echo "main stopped before its input was at its end: go on until read returns 0. That all children are reaped is no end of it, and neither is a read that a signal interrupted (-1 with EINTR)"
            elif [ "$kind" = merge ] && [ "$reads" -gt 0 ]; then echo "$say_errno"
            else echo "$say_eintr"; fi
        elif [ "$(sort "$out" | uniq -d)" ]; then echo "a line came twice: print one line when waitpid has returned a child, and one for each line of text"
        elif [ "$ends" -lt "$n" ]; then echo "$say_merged; each child gets its line"
        elif ! cmp -s <(sed 's/^child [0-9]* /child /' "$want" | sort) <(sed 's/^child [0-9]* /child /' "$out" | sort); then
            if [ "$(grep -c 'was killed by' "$out")" -gt "$(grep -c 'was killed by' "$want")" ]; then
                echo "a child was killed that should have ended by itself: at the end of input main only closes the pipes"
            elif grep -q 'was killed by signal 15' "$out"; then echo "kill K is SIGKILL, signal 9"
            elif grep -q 'was killed by' "$want" && ! grep -q 'was killed by' "$out"; then echo "a child that was killed has no exit status: ask WIFSIGNALED first, then WTERMSIG"
            else echo "a status is not what waitpid gave: WEXITSTATUS, which is 0 to 255, or WTERMSIG"; fi
        else echo "the line names the wrong child: children do not end in the order of their start; look for the pid that waitpid returned among all pids"
        fi ;;
    esac
    return 0
}

# Does the answer care for SIGCHLD at all?
sets_handler() { grep -qE 'sigaction *\(|signalfd *\(|[^a-z_]signal *\(' "$ANSWER"; }

# Is each thing said at its time? The texts in their order; nothing of a child before the line that ends it could be
# read; the last line last.
expect_times() {
    diff <(grep '^read: ' "$want") <(grep '^read: ' "$out") >/dev/null || fail_with "wrong output" "the texts are not printed in the order in which they came"
    [[ $(tail -n 1 "$out") == all* ]] || fail_with "wrong output" "\"all N children were reaped\" must be the last line"
}

# Texts and ends, mixed. Children are told in a random order; one is left for the end of input.
mixed() {
    local k order told=0
    order=$(for ((k = 1; k < n; k++)); do echo "$(random 1 100000) $k"; done | sort -n | awk '{ print $2 }')
    for k in $order; do
        echo "text $(random 100 999)"
        told=$((told + 1))      # the second is killed, the first is not
        if [ $told -eq 2 ] || { [ $told -gt 2 ] && [ "$(random 1 3)" -eq 1 ]; }; then echo "kill $k"; else echo "end $k $(random 1 255)"; fi
    done
    echo "text $(random 100 999) of the end"
}

@test "what the handlers do" {
    kind=mixed n=3
    printf '%s\n' "end 2 5" hello "kill 1" >in.txt
    look_at_handlers --in in.txt --feed 8 -- "$n"
}

@test "texts only, all at once" {
    kind=texts n=1
    for ((i = $(random 3 6); i > 0; i--)); do echo "text $(random 100 999)"; done >in.txt
    run_answer --stdin in.txt "$n"
    plan "$n" <in.txt >planned
    JUDGE_PLAIN=1 expect_unordered <planned
}

@test "texts and ends, in pieces" {
    kind=mixed n=$(random 4 6)
    mixed >in.txt
    run_answer --stdin in.txt --feed "$(random 7 30)" "$n"
    plan "$n" <in.txt >planned
    expect_unordered <planned
    expect_times
}

@test "ends while main waits for input" {
    local first second third status
    kind=late n=$(random 4 5) first=$(random 2 3) status=$(random 1 255)
    second=1 third=$n
    printf '%s\n' ">before" ">end $first $status" "<child $first ended with exit status $status" ">between" \
        ">kill $second" "<child $second was killed by signal 9" ">end $third 3" "<child $third ended with exit status 3" "=60" ">after" >"$stage/script"
    sed -n 's/^>//p' "$stage/script" >in.txt
    run_fed late "$stage/script" --time 9000 "$n"
    if [ -f "$stage/script.given_up" ] && [ "$verdict" = pass ]; then plan "$n" <in.txt >"$stage/want"; want=$stage/want; fail_with hang "$say_late"; fi
    ! asked_again_and_again || fail_with "wrong call" "main asks again and again, with limits or sleeps or WNOHANG: it must sleep until input or SIGCHLD comes"
    plan "$n" <in.txt >planned
    JUDGE_PLAIN=1 expect_unordered <planned
    expect_times
}

@test "all children end at once" {
    local k
    kind=merge n=$(random 4 5)
    { echo ">hello"; for ((k = n; k > 0; k--)); do echo ">end $k $(random 1 255)"; done; } >"$stage/script"
    sed -n 's/^>end \([0-9]*\) \([0-9]*\)/<child \1 ended with exit status \2/p' "$stage/script" >"$stage/answers"
    { cat "$stage/answers"; echo ">and after"; echo ">the end"; } >>"$stage/script"
    sed -n 's/^>//p' "$stage/script" >in.txt
    run_fed "errno,together:$n" "$stage/script" --time 9000 "$n"
    ! waited_for_one || fail_with "wrong output" "main waited for the end of one child before it read the next line: go on reading, SIGCHLD tells when it has ended"
    plan "$n" <in.txt >planned
    JUDGE_PLAIN=1 expect_unordered <planned
    expect_times
}
