# family_tree.bats - the checks of the exercise family_tree.
# shellcheck disable=SC2154,SC2034  # variables of exercise.bash, and those that explain() sees
load ../../lib/exercise
load ../order

# The lines that family_tree DEPTH must print.
lines_of() {
    local g
    echo "generation 0: pid P1"
    for ((g = 1; g <= $1; g++)); do echo "generation $g: pid P$((g + 1)), parent pid P$g"; done
    for ((g = $1 - 1; g >= 0; g--)); do echo "generation $g: my child pid P$((g + 2)) ended"; done
}

without_pids() {
    sed 's/pid [A-Z]*[0-9-]*/pid/g' "$1"
}

explain() {
    local forks most forkers
    forks=$(count_events fork)
    most=$(awk '$1 == "fork" && ++n[$2] > most { most = n[$2] } END { print most + 0 }' "$events")
    forkers=$(awk '$1 == "fork" { print $2 }' "$events" | sort -u | wc -l)
    case $verdict in
    "left behind")
        echo "a parent ended, or went on, without waitpid for its child: then the child is left behind, and when its parent is gone its getppid() gives another process"
        return ;;
    "wrong output" | "wrong exit status" | "over the limit" | hang) ;;
    *) return ;;
    esac
    if [ "$forks" -eq 0 ]; then
        echo "no process was forked at all"
    elif grep -Eq 'child pid (0|-1) ' "$out" || grep -Eq 'wait.*(No child|ECHILD)' "$err"; then
        echo "a child ran on into the code of its parent, and waited for a child that it does not have: end each child with _exit"
    elif [ "$forks" -gt "$depth" ] && [ "$most" -gt 1 ]; then
        echo "$forks processes were forked, not $depth: a child ran on in its parent's code, or a parent went round the loop again; end each child with _exit, and let each process fork once"
    elif [ -n "$(sort "$out" | uniq -d)" ]; then
        echo "a line came twice: what printf prints stays in a buffer, and fork copies the buffer; print with say(), or call fflush before fork"
    elif [ "$forks" -eq "$depth" ] && ! grep -q '^generation 1: pid' "$out"; then
        echo "the lines of the children are missing: what printf prints stays in a buffer, and _exit throws it away; print with say(), or call fflush before fork and _exit"
    elif [ "$depth" -gt 1 ] && [ "$forkers" -eq 1 ] && [ "$most" -gt 1 ]; then
        echo "one process forked all the others: it must be a chain, in which each child forks the next one"
    elif [ "$forks" -ne "$depth" ] || ! grep -q "^generation $depth: pid" "$out"; then
        echo "off by one: with DEPTH $depth the last generation is $depth, so $depth processes are forked; yours forked $forks"
    elif cmp -s <(without_pids "$want") <(without_pids "$out"); then
        echo "a pid is wrong: each process prints its own getpid() and getppid(), and as its child the value that fork returned"
    elif cmp -s <(without_pids "$want" | sort) <(without_pids "$out" | sort); then
        if cmp -s <(without_pids "$want" | grep -v ended) <(without_pids "$out" | grep -v ended); then
            echo "wrong order: a parent prints that its child ended only after waitpid has returned"
        else
            echo "wrong order: each process must print its own line before it forks"
        fi
    elif ! grep -q ended "$out"; then
        echo "after waitpid each parent must print that its child ended"
    fi
    return 0
}

# The pids that were printed are those of the chain that was really forked.
expect_true_pids() {
    local wrong
    [ "$(count_events fork)" -gt 0 ] || fail_with "wrong output" "no process was forked at all"
    wrong=$(awk -F '[ ,]+' 'NR == FNR { if ($1 == "start" && NR == 1) pid[0] = $2
                                        if ($1 == "fork") child[$2] = $3; next }
        $3 == "pid" { g = $2 + 0; if (g > 0) pid[g] = child[pid[g - 1]]; if ($4 != pid[g]) { print g; exit } }' "$events" "$out")
    [ -z "$wrong" ] || fail_with "wrong output" "generation $wrong did not print the pid of a process that generation $((wrong - 1)) forked"
}

check() {
    depth=$1
    lines_of "$depth" | expect
    expect_true_pids
}

@test "a chain of a few generations" {
    depth=$(random 4 6)          # not 3: one generation too few would be the example
    run_answer "$depth"
    check "$depth"
}

@test "one child only" {
    run_answer 1
    check 1
}

@test "a longer chain, in which a child is faster than its parent" {
    depth=$(random 6 9)
    run_in_order child "$depth"
    check "$depth"
}

@test "the longest chain, in which a parent is faster than its child" {
    run_in_order parent 20
    check 20
}
