# pipeline_phases.bats - the checks of the exercise pipeline_phases.
# shellcheck disable=SC2154,SC2034,SC2046  # variables of exercise.bash, and those that explain() sees
load ../../lib/exercise
load ../05-threads/threads
load coordination

# What must be printed.
answer() {
    local stations number value station
    IFS=, read -r -a stations <<<"$1"
    shift
    for number in "$@"; do
        value=$number
        for station in "${stations[@]}"; do
            case $station in
            \**) value=$((value * ${station#?} % 1000000)) ;;
            *) value=$((value + station)) ;;
            esac
        done
        echo "$number becomes $value"
    done
    echo "phases $(($# + ${#stations[@]} - 1)), moves $(($# + ${#stations[@]} - 1))"
}

say_while="somebody was woken, and went on without looking again whether the meeting is over: put a while around the wait, not an if; there are wake-ups for nothing"
say_once="the barrier works for one meeting only: somebody must set the count back for the next one, and that is the one who comes last"
say_each="the count is set back by each one who leaves: a slow one then takes away what a quick one has counted at the next meeting already; only the one who comes last sets it back, once for each meeting"
say_slow="a slow thread cannot see that its meeting is over: when it looks, the count is back at 0, or others are at the next meeting already. Count the meetings (a generation), and wait until that number is another one than when you came"
say_early="somebody went on before all had come. Are all of them counted (the last one comes as number PARTIES)? Is the count set back, once for each meeting, and does everybody look at his own meeting (a generation)? With semaphores, a quick thread must not take what was posted for a slow one: two gates, one after the other"
say_unlock="a lock is not given back: unlock on every way out of meet, also of the one who comes last"

# Is the count set back by everybody: in a line of meet() that is in no block of its own?
reset_by_each() {
    body_of meet | awk '
        function indent(line) { match(line, /^ */); return RLENGTH }
        /^ / && base == "" { base = indent($0) }
        /cond_wait|cnd_wait/ { waited = 1 }
        waited && base != "" && indent($0) == base && /(= *0;|--[^>]*;|-= *1;)/ && !/generation|for|while|bool|int / { found = 1 }
        END { exit !found }'
}

never_reset() {
    ! body_of meet | sed '1d' | grep -qE '[^=!<>]= *(0|barrier->parties|[a-z>-]*parties) *;|--|-=|%|generation|phase|round|sense|(^|[^e])turn|epoch|ticket|\? *0'
}

made_for_one_meeting() {        # the likely reason, or nothing
    if waits_once meet; then echo "$say_while"
    elif reset_by_each; then echo "$say_each"
    elif never_reset; then echo "$say_once"
    fi
}

stuck() {
    local reason
    reason=$(made_for_one_meeting)
    if [[ $details == *" is running"* ]] && ! lock_is_kept; then
        echo "somebody waits in a busy loop: wait on a condition, or on a semaphore"
    elif lock_is_kept; then
        echo "$say_unlock"
    elif wakes_nobody; then
        echo "nobody is ever woken: the one who comes last must wake all the others"
    elif [ -n "$reason" ]; then
        echo "$reason"
    elif wakes_first meet; then
        echo "the one who comes last wakes the others without the lock, or before the change: who has just looked, and does not wait yet, is not woken; change what the while looks at, and wake, under the lock"
    elif code_only | grep -qE 'cond_signal|cnd_signal' && ! code_only | grep -qE 'cond_broadcast|cnd_broadcast'; then
        echo "the one who comes last frees all the others, and one signal wakes only one of them: use broadcast"
    elif [ "$(conditions)" = 0 ] && code_only | grep -qE 'sem_wait|wait_semaphore'; then
        echo "somebody waits for a semaphore that nobody posts: nobody may keep the lock while it waits at a gate (such a wait does not give the lock back), and for each one who waits there must be one post"
    elif ! body_of meet | grep -qE 'generation|phase|round|sense|epoch|sem|ticket|meeting'; then
        echo "$say_slow"
    else
        echo "all wait at a meeting, and nobody is missing, or one is: is the last one counted, and is it the one with the number PARTIES? $say_slow"
    fi
}

explain_deadlock() { stuck; }

explain() {
    local moves phases reason
    read -r _ phases _ moves < <(tail -n 1 "$out" | tr -d ,)
    case $verdict in
    hang) stuck ;;
    crash) echo "$say_early" ;;
    "wrong call")
        case $details in
        *unlock*) if waits_without_lock; then echo "$say_wait_locked"; else echo "$say_unlock; and unlock only what you have locked"; fi ;;
        esac ;;
    "wrong output" | "wrong exit status")
        reason=$(made_for_one_meeting)
        if ! tail -n 1 "$out" | grep -qxE 'phases [0-9]+, moves [0-9]+'; then
            echo "the lines of the given program are missing or others: leave its part as it is; its stderr may say more"
        elif [ "$moves" = 0 ]; then
            echo "the belt was never moved: meet() must return true to one of the threads in each meeting"
        elif [ "$moves" -gt "$phases" ]; then
            echo "the belt was moved $moves times in $phases phases: meet() must return true to one of the threads only, in each meeting"
        elif [ "$moves" -lt "$phases" ]; then
            echo "the belt was moved only $moves times in $phases phases: meet() must return true to one of the threads in each meeting"
        else
            echo "${reason:-$say_early}"
        fi ;;
    esac
    return 0
}

explain_race() {
    local reason moves phases
    reason=$(made_for_one_meeting)
    read -r _ phases _ moves < <(tail -n 1 "$out" | tr -d ,)
    if ! code_only | grep -qE 'pthread_mutex_lock|pthread_spin_lock|mtx_lock|with_lock|sem_wait|wait_semaphore|atomic_|rwlock|read_full|read *\('; then
        echo "meet() must wait: nothing holds the threads together yet. Count who has come, under a lock, and wait on a condition until all are there"
    elif racing_lines | grep -qE 'belt->|\*value'; then
        # who moved the belt, and how often, says more
        if [[ $moves =~ ^[0-9]+$ ]] && [ "$moves" -gt "$phases" ]; then
            echo "the belt was moved $moves times in $phases phases: does meet() return true to one thread only? ${reason:-$say_early}"
        else
            echo "${reason:-$say_early}"
        fi
    else
        echo "what meet() counts is used by two threads at once: look at it and change it under the lock of the barrier only"
    fi
}

# judge_belt STATIONS NUMBER...
judge_belt() {
    local commas=${1//[^,]/}
    expect_no_pauses
    run_threads "$@"
    if code_only | grep -q 'pthread_barrier'; then
        fail_with "wrong call" "pthread_barrier is the system's barrier: make your own, of a lock and a condition"
    fi
    answer "$@" >wanted
    expect <wanted
    expect_threads $((${#commas} + 1))
    if ! code_only | grep -qE 'cond_(timed|clock)?wait|cnd_(timed)?wait|sem_(timed|clock)?wait|wait_semaphore|futex|(^|[^a-z_])(read|poll|read_full|sigwait) *\('; then
        fail_with "wrong call" "meet() asks again and again in a busy loop, which uses a whole core: wait on a condition"
    fi
}

# stations COUNT, numbers COUNT: drawn at random.
stations() {
    local i text='' kinds='+-*'
    for ((i = 0; i < $1; i++)); do text+=,${kinds:$(random 0 2):1}$(random 1 9); done
    echo "${text#,}"
}
numbers() {
    local i
    for ((i = 0; i < $1; i++)); do random 1 99; done
}

@test "three stations" {
    judge_belt "$(stations 3)" $(numbers "$(random 2 3)")
}

@test "two stations" {
    judge_belt "$(stations 2)" $(numbers "$(random 4 5)")
    judge_belt "$(stations 1)" $(numbers 2)
}

@test "more stations than numbers" {
    judge_belt "$(stations "$(random 4 5)")" $(numbers 1)
}

@test "many numbers" {
    JUDGE_PLAIN=1 judge_belt "$(stations "$(random 4 8)")" $(numbers 64)
}
