# ordered_merge.bats - the checks of the exercise ordered_merge.
# shellcheck disable=SC2154,SC2034  # variables of exercise.bash, and those that explain() sees
load ../../lib/exercise
load queues

# jobs COUNT WORKERS ROOM: groups of jobs; the first ones of a group wait for its last one. A group has no more jobs than there
# is room for, and always one worker is left: so all can be done.
jobs() {
    awk -v seed="$(random 1 1000000)" -v count="$1" -v workers="$2" -v room="$3" '
        function draw(below) { seed = seed * 16807 % 2147483647; return int(seed / 7) % below }
        BEGIN {
            for (first = 1; first <= count; first += size) {
                size = first == 1 ? room : 1 + draw(room)
                if (size > count - first + 1) size = count - first + 1
                waiting = workers - 1 < size - 1 ? workers - 1 : size - 1
                if (first > 1 && waiting > 0) waiting = draw(waiting + 1)
                for (i = 0; i < size; i++)
                    print "w" 100 + draw(900) "x" first + i (i < waiting ? " " first + size - 1 : "")
            }
        }'
}

answer() {
    awk '{ text = ""; for (i = length($1); i > 0; i--) text = text substr($1, i, 1); print "job " NR ": " text }
         END { print "no job began too early" }' jobs.txt
}

# merge WORKERS ROOM: with the jobs of jobs.txt
merge() {
    workers=$1
    run_answer --stdin jobs.txt "$1" "$2"
    answer | expect
    expect_no_kill
    [ "$(count_events fork)" -ge "$1" ] || fail_with "not parallel" "$1 workers are asked for; only $(count_events fork) processes were started"
}

say_early="a job began before there was room for its result: there is room for one more only when a result has been PRINTED, not when it has been taken out of a pipe and waits for its turn"
say_order="the results are in the order of arrival: a result must carry the number of its job, and wait until all before it have been printed"
say_end="everything is printed, and somebody waits for the end of the pipe of the results, which never comes: every process that has its write end could still write; who reads closes it, and main too"
say_last="everything is printed, and a worker still waits for room, or for a job: when none is left, all the workers must see it, not only the first of them"

explain_hang() {
    if others_forked; then echo "$say_runs_on"
    elif cmp -s <(grep '^job ' "$out") <(grep '^job ' "$want") && grep -q "its write end is held" <<<"$details"; then echo "$say_end"
    elif cmp -s <(grep '^job ' "$out") <(grep '^job ' "$want"); then echo "$say_last"
    elif grep -q 'waits in read' <<<"$details" && ! grep -q 'waits in \(futex\|sem_\)' <<<"$details"; then
        echo "main and the workers wait for each other: who gives out the next job, and who takes the results, while a job waits for a later one?"
    else
        echo "a job waits for a later one, and that one is not begun: whoever is free takes the next job, as long as there is room; and who prints gives the room back at once"
    fi
}
explain_deadlock() { explain_hang; }

explain() {
    grep '^job ' "$out" | grep -v 'began too early' >"$stage/lines"
    grep '^job ' "$want" >"$stage/wanted"
    case $verdict in
    hang) explain_hang ;;
    "wrong output")
        if [ "$(count_events fork)" -eq 0 ]; then echo "no worker was started"
        elif others_forked; then echo "$say_runs_on"
        elif cmp -s <(sort "$stage/lines") <(sort "$stage/wanted") && ! cmp -s "$stage/lines" "$stage/wanted"; then echo "$say_order"
        elif cmp -s <(cut -d : -f 1 "$stage/lines") <(cut -d : -f 1 "$stage/wanted") && ! cmp -s "$stage/lines" "$stage/wanted"; then
            echo "a result has the number of another job: the number must travel in the message, with the result"
        elif grep -q 'began too early' "$out"; then echo "$say_early"
        elif [ "$(grep -c '^job ' "$out")" -lt "$(grep -c '^job ' "$want")" ]; then
            echo "results are lost: how many can be early at most, and is there a place for each of them? Is the last one printed?"
        else
            echo "each job is done once, and its result printed once, by one process"
        fi ;;
    "wrong exit status") if grep -q 'Broken pipe' "$err"; then echo "who takes the results has ended too early: it must read until all of them are there"; fi ;;
    "wrong call") echo "$say_busy" ;;
    "left behind") echo "main must wait for every child: one waitpid for each" ;;
    esac
    return 0
}

@test "jobs that wait for later ones" {
    local room
    room=$(random 3 4)
    jobs "$(random 9 11)" 2 "$room" >jobs.txt
    merge 2 "$room"
}

@test "more workers, one result at a time, fewer jobs than workers" {
    jobs "$(random 10 12)" 3 5 >jobs.txt
    merge 3 5
    jobs "$(random 4 6)" 2 1 >jobs.txt
    merge 2 1
    jobs 2 4 2 >jobs.txt
    merge 4 2
}

@test "no job, and many" {
    jobs 6 1 2 >jobs.txt
    hold=1 JUDGE_PLAIN=1 merge 3 2
    : >jobs.txt
    JUDGE_PLAIN=1 merge 3 4
    jobs "$(random 700 999)" 8 "$(random 20 64)" >jobs.txt
    JUDGE_PLAIN=1 merge 8 64
}
