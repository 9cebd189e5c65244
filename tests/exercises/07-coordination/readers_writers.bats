# readers_writers.bats - the checks of the exercise readers_writers.
# shellcheck disable=SC2154,SC2034  # variables of exercise.bash, and those that explain() sees
load ../../lib/exercise
load ../05-threads/threads
load coordination

# What must be printed: when nothing moves any more, each number is certain. No check has a case that the task leaves open:
# readers and writers that wait when a writer leaves.
answer() {
    local step reading=0 writing=0 readers=0 writers=0 all_writers=0 count
    for step in "$@"; do
        case $step in
        -*)
            if [ $writing = 1 ]; then writing=0; else reading=$((reading > ${#step} ? reading - ${#step} : 0)); fi ;;
        *)
            count=$(tr -cd w <<<"$step" | wc -c)
            writers=$((writers + count)) all_writers=$((all_writers + count)) readers=$((readers + ${#step} - count)) ;;
        esac
        case $step in           # the last step of its script: who of them is first is open
        *r*w* | *w*r*)
            echo "$step: inside or waiting $((reading + writing + readers + writers))"
            continue ;;
        esac
        if [ $writing = 0 ] && [ $reading = 0 ] && [ $writers -gt 0 ]; then
            writing=1 writers=$((writers - 1))
        elif [ $writing = 0 ] && [ $writers = 0 ]; then
            reading=$((reading + readers)) readers=0
        fi
        echo "$step: reading $reading, writing $writing, waiting $((readers + writers))"
    done
    echo "writers $all_writers, version of the page $all_writers, overtaken by 0 readers"
}

say_starves="a reader went in although a writer waits: with more and more readers the writer waits for ever (it starves). Count the writers that wait; start_read must wait for them, too"
say_rwlock="this kind of pthread_rwlock lets readers in while a writer waits, which then starves: make it with pthread_rwlockattr_setkind_np and PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP, or build it yourself"
say_while="somebody was woken, and went on without looking again who is inside: put a while around the wait, not an if; the wake-up may be stolen, or for nothing"
say_unlock="a lock is not given back: unlock on every way out; and nobody may keep the lock that the others need to leave while it waits or is inside"
say_lock="the number of readers, and all else that decides who may go in, is used by two visitors at once: look at it and change it under the lock, in end_read and end_write, too"
say_count="a count is wrong after some visits: each one that is counted must be taken off again (a writer that waits, when it goes in; a reader, when it leaves)"

# explain_numbers: by the first step whose line is not as expected.
explain_numbers() {
    awk -v want="$want" -v again="$( (waits_once start_read || waits_once start_write) && echo "$say_while")" -v starves="$say_starves" -v rwlock="$say_rwlock" \
        -v has_rwlock="$(code_only | grep -q pthread_rwlock && echo 1)" -v count="$say_count" '
        FILENAME == want { right[FNR] = $0; next }
        $0 == right[FNR] { split($0, before, /[: ,]+/); next }
        !told {
            split($0, part, /[: ,]+/); split(right[FNR], due, /[: ,]+/)
            told = 1
            reading = part[3]; writing = part[5]; waiting = part[7]
            if (again != "") print again
            else if (/inside or waiting/) print count
            else if (/^visitor/) print "a writer was inside together with a reader: the reader saw the page change; start_write must wait for all readers, and start_read for a writer inside"
            else if (/^writers/) {
                if (part[6] != due[6]) print "the page was written by two writers at once: a writer must wait for a writer that is inside"
                else print has_rwlock ? rwlock : starves
            } else if (part[1] != due[1]) print "the lines of the given program are missing or others: leave its part as it is; its stderr may say more"
            else if (writing > 1) print "two writers are inside together: a writer must wait for a writer that is inside, too"
            else if (writing == 1 && reading > 0) print "a writer is inside together with a reader: start_write must wait for all readers, and start_read for a writer inside"
            else if (reading > due[3] && (before[7] > 0 || due[7] > 0) && due[5] == 0) print has_rwlock ? rwlock : starves
            else if (reading > due[3] && writing == 0) print has_rwlock ? rwlock : starves
            else if (due[3] > 1 && reading == 1 && due[1] !~ /-/ && before[5] == 0) print "only one reader is inside: readers do not disturb each other; a lock that is held while one reads keeps the others out, so hold it only to look and to count"
            else if (due[3] > reading && reading > 0 && due[1] ~ /-/) print "the writer has left, and only " reading " of " due[3] " readers were woken: end_write must wake all of them (broadcast)"
            else if (due[3] > reading && due[1] ~ /-/) print "the writer has left, no other one waits, and the readers wait on: end_write must wake all of them; and is a writer that waited still counted as waiting?"
            else if (due[3] > reading) print count "; a reader waits though no writer is inside or waits"
            else if (due[5] > writing && due[1] ~ /-/) print "the last one has left, and the writer still waits: who leaves last must wake it, on the condition that writers wait on; and only who is inside may be counted as inside"
            else print count
        }' "$want" "$out"
}

stuck() {
    local numbers
    if [[ $details == *" is running"* ]] && ! lock_is_kept; then
        echo "somebody waits in a busy loop: wait on a condition, or on a semaphore"
    elif lock_is_kept; then
        echo "$say_unlock"
    elif wakes_nobody; then
        echo "nobody is ever woken: end_read (of the last reader) and end_write must wake those who wait"
    else
        numbers=$(explain_numbers)
        if [ -n "$numbers" ]; then echo "$numbers"
        else echo "somebody waits, and nobody wakes it: when a writer leaves, the next one may be a writer, or all readers; when the last reader leaves, a writer"
        fi
    fi
}

explain_deadlock() { stuck; }

explain() {
    case $verdict in
    hang) stuck ;;
    "wrong call")
        case $details in
        *unlock*"another task"*) echo "a mutex was unlocked by another visitor than the one that locked it: the last reader is mostly not the first one; a semaphore that begins at 1 may be posted by anybody, or count under a mutex and wait on a condition" ;;
        *unlock*) if waits_without_lock; then echo "$say_wait_locked"; else echo "a mutex was unlocked that is not locked: every unlock needs a lock before it"; fi ;;
        esac ;;
    "wrong output" | "wrong exit status") explain_numbers ;;
    esac
    return 0
}

locks='pthread_(mutex|rwlock|spin)_|mtx_lock|with_lock|sem_init *\(.*, *1 *\)|atomic_(flag|compare|exchange)'
explain_race() {
    local numbers
    if ! code_only | grep -qE "$locks"; then
        echo "$say_lock; there is no lock yet"
    elif racing_lines | grep -q 'page'; then
        numbers=
        if waits_once start_read || waits_once start_write || grep -qE 'reading [1-9].*writing [1-9]|writing [2-9]' "$out"; then numbers=$(explain_numbers); fi
        echo "${numbers:-a writer is inside together with somebody else: what decides who may go in must be looked at and changed in one step, under one lock, and be set before the lock is given back}"
    else
        echo "$say_lock"
    fi
}

# judge_steps STEP...
judge_steps() {
    expect_no_pauses
    run_threads "$@"
    answer "$@" >wanted
    expect <wanted
    expect_threads "$(tr -cd rw <<<"$*" | wc -c)"
}

# so_many LETTER LOW HIGH: "rrr", for example.
so_many() {
    printf "%$(random "$2" "$3")s" '' | tr ' ' "$1"
}

@test "readers together, then a writer, then readers together" {
    local readers
    readers=$(so_many r 2 3)
    judge_steps "$readers" w "$(so_many r 2 3)" "$(so_many - ${#readers} ${#readers})" r - r
}

@test "more and more readers come while a writer waits" {
    local i steps=(r w)
    for ((i = $(random 2 3); i > 0; i--)); do steps+=(r -); done
    judge_steps "${steps[@]}" - r
}

@test "one writer at a time" {
    judge_steps ww - w - - "$(so_many r 2 3)"
    judge_steps "$(so_many r 2 2)" ww -- - - r
}

# The writer that is inside leaves; another one waits, and so does a reader. Who of the two goes in is not certain in all
# right answers (a turnstile does not know who came first). But readers that come now wait.
@test "a writer that waits behind another one" {
    local overtaken
    if [ -n "${JUDGE_PLAIN:-}${JUDGE_REPLAY:-}" ] || ! can_schedule; then skip "only under schedules"; fi
    run_threads r ww - r - r r
    for ((seed = 1; seed <= 12; seed++)); do
        run_build scheduled
        read -r overtaken < <(sed -n 's/.*overtaken by \([0-9]*\) readers/\1/p' "$out")
        if [ "$verdict" = pass ] && [ "${overtaken:-0}" -gt 1 ]; then
            details=$(cat "$out")$'\n'"under schedule $seed"$'\n'
            fail_with "wrong output" "a writer waited behind another one, and readers that came later went in: when one writer has gone in, the next one must still be counted as waiting; a number, not a flag"
        fi
    done
}

@test "all at once" {
    judge_steps "$(random 1 2 | sed 's/1/rwrwr/; s/2/wrrww/')"
    judge_steps w - rr rwrw
}

@test "many visitors" {
    JUDGE_PLAIN=1 judge_steps "$(so_many r 8 12)" w r r "$(so_many - 12 12)" r - w "$(so_many - 20 20)" - rrrwwwrrrwwwrrr
}
