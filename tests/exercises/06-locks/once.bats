# once.bats - the checks of the exercise once.
# shellcheck disable=SC2154,SC2034,SC2030,SC2031,SC2001  # variables of exercise.bash, and those that explain() sees
load ../../lib/exercise
load ../05-threads/threads

answer() {
    local i
    case " ${numbers[*]} " in *" "[1-9]*) echo "building the table" ;; esac
    for ((i = 0; i < ${#numbers[@]}; i++)); do
        if [ "${numbers[i]}" = 0 ]; then
            echo "thread $((i + 1)): no need"
        else
            echo "thread $((i + 1)): $((numbers[i] * (numbers[i] + 1) / 2))"
        fi
    done
}

explain() {
    local built
    built=$(grep -c '^building the table' "$out")
    case $verdict in
    crash)
        if [ -n "$(one_argument_for_all)" ]; then
            echo "each thread got the address of the same variable, which main changes while they read: give each thread an argument of its own"
        else
            echo "a thread used the table before it was there: who finds that another thread is building it must wait until it is complete"
        fi ;;
    hang) explain_deadlock ;;
    "wrong output")
        if [ "$(count_events thread)" -eq 0 ]; then echo "no thread was started"
        elif [ "$built" -gt 0 ] && ! grep -q '^building' "$want"; then
            echo "nobody needs the table (all numbers are 0), and it was built: build it only when it is asked for"
        elif [ "$built" -gt 1 ]; then
            echo "the table was built $built times: between the question whether it is there and the building, another thread asked, too; both belong under one lock that all threads share"
        elif [ "$built" -eq 0 ] && grep -q '^building' "$want"; then
            echo "the table was not built: a thread whose number is above 0 gets it from get_table(), and that calls build_table()"
        elif ! head -n 1 "$out" | grep -q '^building' && grep -q '^building' "$want"; then
            echo "a value was printed before the table was built: main prints all values, after all joins"
        elif grep -Eq '^thread [0-9]+: (0|-?[0-9]{7,})$' "$out"; then
            echo "a thread used the table before it was complete, or its value was read before its join"
        else
            echo "a thread has a wrong value: each one needs an argument of its own, and main prints the values in the order of the threads"
        fi ;;
    esac
    return 0
}

say_semaphore="a semaphore that is a lock begins at 1: at 0 nobody ever gets it, and at 2 two get in at once"

explain_deadlock() {
    if grep -q 'sem_init *([^;]*, *0 *)' "$ANSWER"; then echo "$say_semaphore"
    elif [[ $details == *cond_wait* ]]; then
        echo "a thread waits for a signal that came before it waited, or that woke another thread: ask first whether the table is there, wait in a while loop, and broadcast when it is built"
    elif [[ $details == *rwlock* ]]; then
        echo "a thread that has the lock for reading waits to have it for writing, too: give it back first, then lock for writing, and look again"
    else echo "a lock was not given back, or was taken twice by the same thread: unlock on every way out of get_table, also when the table is there already"
    fi
}

explain_race() {
    if [ -n "$(one_argument_for_all)" ]; then
        echo "each thread got the address of the same variable, which main changes while they read: give each thread an argument of its own"
    elif main_took_part; then
        echo "main reads a value before the thread that makes it was joined: pthread_join first, then read"
    elif grep -qE '^[[:space:]]+(pthread_mutex_t|pthread_once_t)[^*]*INIT' "$ANSWER" && ! grep -qE '^(static +)?(pthread_mutex_t|pthread_once_t) ' "$ANSWER"; then
        echo "the lock (or the pthread_once_t) is a local variable: each call has its own one, so it excludes nobody; it must be one for all threads"
    elif grep -q 'memory_order_relaxed' "$ANSWER"; then
        echo "memory_order_relaxed orders nothing: who sees the flag need not see the table yet; store with release, load with acquire"
    elif grep -q 'volatile' "$ANSWER"; then
        echo "volatile orders nothing between threads: ask under the lock, always, or use an atomic, or pthread_once"
    elif grep -qE 'sem_init *([^;]*, *([02-9]|1[0-9]+) *)' "$ANSWER"; then echo "$say_semaphore"
    elif ! grep -qE 'pthread_(mutex|once|rwlock|spin)|with_lock|sem_|atomic' "$ANSWER"; then
        echo "nothing keeps two threads from building at the same time: the question whether the table is there, and the building, belong under one lock"
    else
        echo "one thread asks whether the table is there, or uses it, while another one writes it, and no common lock is around both: ask under the lock, always (one lock for all threads), or make it atomic, or use pthread_once"
    fi
}

# judge_once NUMBER...
judge_once() {
    numbers=("$@")
    run_threads "$@"
    if [ -f "$stage/at/built_by_main" ] && ! prints_the_example; then
        fail_with "wrong output" "main built the table: it is built by the thread that needs it first, while the threads run"
    fi
    answer >wanted
    if [ "$verdict" = pass ] && [ "$(count_events thread)" -gt 0 ]; then
        expect_threads $#
        expect_joined
    fi
    expect <wanted
    expect_threads $#
}

@test "several threads need it" {
    local i many=()
    for ((i = $(random 3 5); i > 0; i--)); do many+=("$(random 1 100)"); done
    judge_once "${many[@]}"
}

@test "nobody needs it, one does" {
    judge_once 0 0 0
    judge_once 0 "$(random 1 100)" 0
    judge_once "$(random 1 100)"
}

@test "two need it, two do not" {
    judge_once "$(random 1 50)" 0 "$(random 51 100)" 0
}

@test "many threads" {
    local i many=()
    for ((i = 0; i < 16; i++)); do many+=("$(random 0 100)"); done
    JUDGE_PLAIN=1 judge_once "${many[@]}"
}
