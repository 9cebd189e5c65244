# bounded_buffer.bats - the checks of the exercise bounded_buffer.
# shellcheck disable=SC2154,SC2034,SC2013  # variables of exercise.bash, and those that explain() sees
load ../../lib/exercise
load ../05-threads/threads
load coordination

# What must be printed: when nothing moves any more, each number is certain, whoever was faster.
answer() {
    local step items=0 consumers=0 limited=0 ended=0 put taken gone given
    for step in "$@"; do
        if [ "$step" = end ]; then
            ended=1
        else
            for given in $(grep -oE 'p[0-9]+|c1?' <<<"$step"); do
                case $given in
                c) consumers=$((consumers + 1)) ;;
                c1) limited=$((limited + 1)) ;;
                *) items=$((items + ${given#p})) ;;
                esac
            done
        fi
        # a script in which c and c1 meet leaves open who takes what: no check has one where it matters
        taken=$items gone=$limited
        if [ $consumers = 0 ]; then taken=$((items < limited ? items : limited)); fi
        put=$((items < taken + capacity ? items : taken + capacity))
        if [ $ended = 0 ] && [ $gone -gt $taken ]; then gone=$taken; fi
        echo "$step: $put put, $taken taken, $((ended * consumers + gone)) of $((consumers + limited)) consumers have ended"
    done
    echo "all $items items were taken, each once, in order"
}

say_end="at the end somebody still waits: end_list must wake all who wait for an item (broadcast, or each one who ends wakes the next), and they must look at the end, too"
say_one="there is one condition for two reasons to wait, and one signal: it may wake somebody who waits for the other reason, and who only waits again; use broadcast, or two conditions"
say_while="somebody was woken, and went on without looking again whether the list is full or empty: put a while around the wait, not an if; the wake-up may be stolen, or for nothing"
say_unlock="a lock is not given back, or is taken twice: unlock on every way out of put, take and end_list; a wait on a condition gives it back, a wait on a semaphore does not"
say_first="put() wakes a consumer before the item is in the list: the consumer looks, finds nothing, waits again, and nobody wakes it; first change the list, then wake"
say_index="it uses memory beside the array of items: the next place is (first + count) modulo capacity, and first moves on modulo capacity, too"
say_pipe="several threads read items from one pipe at once: one read may give only a part of an item, and another thread gets the rest; let one at a time read, under a lock"
say_lock="the list is used by two threads at once: all of put, take and end_list that looks at the list or changes it belongs under one lock, the same one for all threads, which lies in the list"

# explain_numbers: by the first step whose line is not as expected.
explain_numbers() {
    awk -v capacity="$capacity" -v want="$want" -v one="$([ "$(conditions)" = 1 ] && echo "$say_one")" \
        -v semaphores="$([ "$(conditions)" = 0 ] && echo 1)" -v end="$say_end" -v again="$( (waits_once put || waits_once take) && echo "$say_while")" '
        { split($0, part, /[: ,]+/) }
        FILENAME == want { right[FNR] = $0; last = FNR; next }
        $0 == right[FNR] { after = after || /^end/; next }
        !told {
            split(right[FNR], due, /[: ,]+/)
            step = part[1]; put = part[2]; taken = part[4]; ended = part[6]
            told = 1
            if (again != "") print again
            else if (/^an item/) print "take() gave out an item that nobody has put: did it take from an empty list, or give out something else than the first item?"
            else if (/^item .* taken 0/) print "an item was lost: was it put over another one (full is count == capacity, the next place is modulo capacity), or left in the list at the end?"
            else if (/^item/) print "an item was taken twice: taking the first item and moving on belong together, under the lock"
            else if (/^all/) print "the items are not taken in the order in which they were put: take the first one, put behind the last one"
            else if (step != due[1]) print "the lines of the given program are missing or others: leave its part as it is; its stderr may say more"
            else if (put - taken > capacity) print "the list held " put - taken " items and may hold " capacity ": put() must wait while count == capacity, before it adds one"
            else if (taken > put) print "more items were taken than put: take() must wait while the list is empty"
            else if (due[4] == 0 && put < due[2]) print "put() waits with " put " items in the list, and " capacity " have room: it is full when count == capacity"
            else if (ended > due[6]) print "consumers ended before end_list() was called: an empty list is not the end; take() must wait"
            else if (step == "end" && taken < due[4]) print "consumers ended although items were left: after the end, take() first gives out what is left"
            else if (taken < due[4] && after) print "a consumer that came after the end did not get the items that were left: look at the items first, and at the end only when there are none"
            else if (ended < due[6] && (step == "end" || after)) print end
            else if (one != "") print one
            else if (semaphores) print "somebody waits for a semaphore and keeps the lock meanwhile, or posts the wrong one: first wait for room or for an item, and take the lock only then; put() posts one item, take() one place"
            else if (taken < put && taken < due[4]) print "there are items in the list, and the consumers wait: put() must wake one who waits for an item, on the condition that consumers wait on, at every item"
            else print "there is room in the list, and producers wait: take() must wake one who waits for room, on the condition that producers wait on, at every item"
        }' "$want" "$out"
}

reads_a_pipe() {                # it failed only when read and write took fewer bytes than asked for
    [[ $details == "under noise"* ]] && code_only | grep -qE '(^|[^a-z_])pipe2? *\('
}

stuck() {
    local numbers
    if reads_a_pipe; then
        echo "$say_pipe"
    elif [[ $details == *" is running"* ]] && ! lock_is_kept; then
        echo "somebody waits in a busy loop: wait on a condition, or on a semaphore"
    elif lock_is_kept; then
        echo "$say_unlock"
    elif wakes_nobody; then
        echo "nobody is ever woken: put() must wake one who waits for an item, take() one who waits for room, end_list() all"
    elif wakes_first put; then
        echo "$say_first"
    elif body_of end_list | grep -qE 'cond_wait|cnd_wait|sem_wait|wait_semaphore'; then
        echo "end_list() waits, perhaps for ever: it only tells the end, and wakes those who wait; what is left in the list may be taken later, or never"
    else
        numbers=$(explain_numbers)
        if [ -n "$numbers" ]; then echo "$numbers"
        elif [ "$(conditions)" = 1 ]; then echo "$say_one"
        else echo "somebody waits, and nobody wakes it: ask for each change who may be waiting for it, and on which condition (an item, room, the end)"
        fi
    fi
}

explain_deadlock() { stuck; }

explain() {
    case $verdict in
    hang) stuck ;;
    crash) if waits_once put || waits_once take; then echo "$say_while"; elif body_of put | grep -q '\[.*\] *='; then echo "$say_index"; fi ;;
    "wrong call")
        case $details in
        *unlock*) if waits_without_lock; then echo "$say_wait_locked"; else echo "$say_unlock"; fi ;;
        esac ;;
    "wrong output" | "wrong exit status") if reads_a_pipe; then echo "$say_pipe"; elif wakes_first put; then echo "$say_first"; else explain_numbers; fi ;;
    esac
    return 0
}

explain_race() {
    if ! code_only | grep -qE 'pthread_mutex_lock|pthread_spin_lock|mtx_lock|with_lock|rwlock|sem_init *\(.*, *1 *\)|atomic_(flag|compare|exchange)'; then
        echo "$say_lock; there is no lock yet"
    elif body_of take | grep -qE '^ *(pthread_mutex_t|mtx_t) |= *\*list' || body_of put | grep -qE '^ *(pthread_mutex_t|mtx_t) |= *\*list'; then
        echo "each call has a lock of its own: a local variable, or a copy, keeps nobody out; $say_lock"
    elif writing_line | grep -qiE '(end|clos|finish|done|stop|over)[a-z_]* *='; then
        echo "the end is told without the lock: end_list must change it under the lock, else a consumer that has just looked, and does not wait yet, is not woken"
    else
        echo "$say_lock"
    fi
}

# judge_steps CAPACITY STEP...
judge_steps() {
    capacity=$1
    shift
    expect_no_pauses
    run_threads "$capacity" "$@"
    answer "$@" >wanted
    expect <wanted
    if [ "${*: -1}" = end ]; then expect_threads "$(grep -oE 'p|c' <<<"${*//end/}" | grep -c .)"; fi
}

@test "full first, then empty" {
    local capacity
    capacity=$(random 2 4)
    judge_steps "$capacity" "p$((capacity + $(random 1 2)))" p$((capacity - 1)) c1 c cc end
}

@test "three consumers wait for one place" {
    judge_steps 1 ccc "p$(random 2 3)p$(random 1 2)" end
}

@test "each wake-up is for somebody" {
    judge_steps 2 c1c1 p2 "c1c1c1" "p2p1" end
}

@test "all at once" {
    judge_steps "$(random 1 2)" "p$(random 2 3)cp$(random 1 3)c" end
    judge_steps 1 "p2p2p2" "c" end
}

@test "items are left at the end" {
    local capacity
    capacity=$(random 3 4)
    judge_steps "$capacity" "p$capacity" end c cc
    judge_steps 2 cc end c
}

@test "many items" {
    JUDGE_PLAIN=1 judge_steps "$(random 2 5)" "p$(random 40 99)p99p$(random 40 99)" cc "p$(random 20 99)cc" end
    JUDGE_PLAIN=1 judge_steps 1 ccccp30p30p30p30 end
}
