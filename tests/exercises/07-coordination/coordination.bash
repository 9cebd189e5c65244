# shellcheck shell=bash disable=SC2154  # $stage, $details and others are of exercise.bash
# coordination.bash - for the checks of this chapter: load it after ../../lib/exercise and ../05-threads/threads.

# The answer's code, without comments and blank lines.
code_only() {
    "${CC:-gcc}" -fpreprocessed -dD -E -P "$ANSWER" 2>/dev/null || cat "$ANSWER"
}

# The body of a function of the answer.
body_of() {
    code_only | awk -v name="$1" '!found && $0 ~ "(^|[^a-z_A-Z0-9])" name " *\\(" && !/;/ { found = 1 } found { print } found && /^}/ { exit }'
}

# How many different conditions does the answer wait on?
conditions() {
    code_only | grep -oE '(pthread_cond_wait|cnd_wait) ?\([^,]*,' | sed 's/.*( *&* *//' | sort -u | grep -c .
}

# Is a wait in the function $1 made without a loop around it?
waits_once() {
    body_of "$1" | awk '{ line = $0; sub(/^ +/, "", line) }
        /pthread_cond_wait|cnd_wait/ { if (before !~ /while|for|do|[{] *$/ && line !~ /while/) bare = 1; if (before ~ /^(else )?if/) bare = 1 }
        { before = line } END { exit !bare }'
}

# Some task waits for a lock that nobody gives back.
lock_is_kept() {
    [[ $details == *"for a lock that P"* || $details == *"still holds a lock"* ]]
}

# Does nothing in the answer wake anybody?
wakes_nobody() {
    ! code_only | grep -qE 'cond_signal|cond_broadcast|cnd_signal|cnd_broadcast|sem_post'
}

# Each compiling has a folder of its own. All but the first one are for the builds that are run under schedules and for
# the sanitizers: see tools/pthread.h.
eval "bare_$(declare -f judge_stage)"
judge_stage() {
    bare_judge_stage || return 1
    if [ -f "$compiled/plain" ] && grep -q pthread_rwlock "$ANSWER"; then
        cp "$BATS_TEST_DIRNAME/tools/pthread.h" "$stage/at/"
    fi
}
