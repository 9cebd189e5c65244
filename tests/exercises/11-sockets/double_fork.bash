# double_fork.bash - for the checks of this chapter's servers: a child that forks once more and ends is a right answer. The
# process of a talk then has no parent here, so nobody of the server's can wait for it. It counts as left behind only
# if it is still there a moment after the server's end, which the runner sees, or if the server did not wait for a child
# of its own.

# shellcheck shell=bash disable=SC2154,SC2034  # variables of judge.bash

# Before a look for zombies: time for the runner, which has to reap those without a parent.
a_moment=$(printf 'settle\n%.0s' {1..10})

eval "counting_$(declare -f judge_run)"
forks_twice=
judge_run() {
    counting_judge_run "$@"
    local orphans=$((orphans_before + orphans_after))
    orphans_before=0
    [ "$orphans" -gt 0 ] || return 0
    judge_events
    # a build for a sanitizer notes nothing: then it is as the plain one
    if grep -q '^start ' "$events"; then forks_twice=$(waited_for_its_own); fi
    case $forks_twice:$verdict:$details in
    "yes:left behind:"*"had not been waited for when the first process ended"*) verdict=pass details= ;;
    esac
}

# Did the first process wait for each child of its own?
waited_for_its_own() {
    awk '$1 == "start" && first == "" { first = $2 }
        $1 == "fork" && $2 == first { own++ }
        $1 == "wait" && $2 == first { own-- }
        END { print own == 0 ? "yes" : "no" }' "$events"
}
