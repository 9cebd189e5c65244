# shellcheck shell=bash disable=SC2154,SC2034  # $stage, $details and others are of exercise.bash; its own are for the checks
# coordination.bash - for the checks of this chapter: load it after ../../lib/exercise and ../05-threads/threads.

# The answer's code, without comments and blank lines. It is made once for all checks.
code_only() {
    local code=$BATS_FILE_TMPDIR/code
    [ -s "$code" ] || "${CC:-gcc}" -fpreprocessed -dD -E -P "$ANSWER" >"$code" 2>/dev/null || cp "$ANSWER" "$code"
    cat "$code"
}

# The body of a function of the answer.
body_of() {
    code_only | awk -v name="$1" '!found && $0 ~ "(^|[^a-z_A-Z0-9])" name " *\\(" && !/;/ { found = 1 } found { print } found && /^}/ { exit }'
}

# What the student has written: the code up to the given part.
own_code() {
    code_only | awk '/^struct (worker|visitor|belt) *\{/ { exit } { print }'
}

# Whoever asks again and again, with a pause between, does not wait. It would pass in many runs, and take minutes in
# others. No right answer needs a pause.
expect_no_pauses() {
    local pause
    [ "$BATS_TEST_NUMBER" = 1 ] || return 0
    pause=$(own_code | grep -oE '(^|[^a-z_])((usleep|sleep|nanosleep|clock_nanosleep|thrd_sleep|work_ticks) *\(|poll *\( *NULL)' | head -n 1)
    [ -z "$pause" ] && return 0
    ran="./$exercise"
    pause=${pause%%(*}
    fail_with "wrong call" "${pause//[^a-z_]/} makes a busy loop with a pause in it: it asks again and again, and comes too late; wait on a condition, or on a semaphore, until somebody wakes you"
}

# Of a wrong unlock: was it made by a wait on a condition, whose lock the caller did not have?
waits_without_lock() {
    local number
    number=$(grep -oE "$exercise\.c:[0-9]+" <<<"$details" | head -n 1 | grep -oE '[0-9]+$')
    [ -n "$number" ] && sed -n "${number}p" "$ANSWER" | grep -qE 'cond_(timed)?wait|cnd_wait'
}
say_wait_locked="pthread_cond_wait is called without the lock: lock it before you look, and keep it until the wait itself gives it back"

# Does the function $1 wake somebody without the lock before it, or give the lock back before it makes the change?
wakes_first() {
    body_of "$1" | awk '/cond_signal|cond_broadcast|cnd_signal|cnd_broadcast/ { woken = 1; if (!locked) exit; next }
        /unlock *\(/ { unlocked = woken; next }
        /lock *\(|sem_wait|wait_semaphore/ { locked = 1 }
        unlocked && /->[a-z_]+(\[.*\])? *(\+\+|--|[-+]?= )/ { early = 1; exit }
        END { exit !(early || (woken && !locked)) }'
}

# The noise that interrupts calls, or shortens them, also delays: an answer that makes no such calls itself fails by the
# delay. Then its checks know more.
eval "noisy_$(declare -f fail_with)"
fail_with() {
    local hint=${2:-} said='' calls
    case $hint in
    "it fails when signals interrupt"*) calls='sem_wait|sem_timedwait|read|write|syscall' ;;
    "it fails when read and write take fewer"*) calls='read|write' ;;
    *) calls= ;;
    esac
    if [ -n "$calls" ] && ! own_code | grep -qE "(^|[^a-z_])($calls) *\("; then said=$(explain); fi
    noisy_fail_with "$1" "${said:-$hint}"
}

# How many different conditions does the answer wait on?
conditions() {
    code_only | grep -oE '(pthread_cond_wait|cnd_wait) ?\([^,]*,' | sed 's/.*( *&* *//' | sort -u | grep -c .
}

# Is a wait in the function $1 made without a loop around it?
waits_once() {
    body_of "$1" | awk '{ line = $0; sub(/^ +/, "", line) }
        /pthread_cond_wait|cnd_wait/ && line !~ /while|for *\(/ {
            if (before !~ /while|for|do|[{] *$/ || (before ~ /^(else )?if/ && before !~ /while|for *\(/)) bare = 1
        }
        { before = line } END { exit !bare }'
}

# Some task waits for a lock that nobody gives back.
lock_is_kept() {
    [[ $details == *", held by P"* || $details == *"still holds a lock"* ]]
}

# Does nothing in the answer wake anybody?
wakes_nobody() {
    ! code_only | grep -qE 'cond_signal|cond_broadcast|cnd_signal|cnd_broadcast|sem_post'
}

# See tools/pthread.h.
add_headers() {
    if grep -qE 'pthread_rwlock|pthread_cond_timedwait' "$ANSWER"; then cp "$BATS_TEST_DIRNAME/tools/pthread.h" "$1/"; fi
}
