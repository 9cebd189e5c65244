# exercise.bash - what the checks of an exercise (tests/exercises/CHAPTER/NAME.bats) are written with:
#     load ../../lib/exercise
# The answer is $ANSWER, or the student's own file. It is compiled once, in the cage, and then run by each
# check. The first verdict that is not "pass" ends the judging: the other checks are skipped.
# A right plain run is followed by runs under schedules, noise and sanitizers (JUDGE_PLAIN=1 leaves them out).
# An exercise may define explain(), which prints one line that names the mistake, or nothing.

# shellcheck source-path=SCRIPTDIR source=judge.bash
. "$(dirname "${BASH_SOURCE[0]}")/judge.bash"
: "${EXERCISE:=$(basename "$BATS_TEST_DIRNAME")/$(basename "$BATS_TEST_FILENAME" .bats)}"
: "${ANSWER:=$book/chapters/$(dirname "$EXERCISE")/exercises/$(basename "$EXERCISE").c}"
: "${VERDICT_FILE:=$BATS_FILE_TMPDIR/verdict}"
: "${WARNINGS_FILE:=/dev/null}"
exercise=$(basename "$EXERCISE")
compiled=$BATS_FILE_TMPDIR/compiled
export EXERCISE ANSWER VERDICT_FILE

# The answer is compiled where it can read nothing but itself and common/: plainly; for the scheduler, with a call before
# every access to memory; and for the sanitizers, where the compiler has them. All of them at once. A check may define
# add_headers FOLDER, which puts headers there that come first in all builds but the plain one.
builds='plain scheduled asan tsan'
[ -z "${JUDGE_PLAIN:-}" ] || builds=plain
# ThreadSanitizer does not know the threads of C11 (threads.h): it tells of races that are none.
# shellcheck disable=SC2016  # expanded by the shell in the cage
compile='
cc() { "$CC" -std=c11 ${LENIENT:+-D_GNU_SOURCE=} -g -O0 -pthread "$@" -I .; }
plain() { cc -Wall -Wextra $NAME.c witness.o parts.a -o plain -ldl; }
scheduled() {
    cc -w -I first -fsanitize=thread -fno-builtin -c $NAME.c -o scheduled.o || return
    for name in memcpy memmove memset strcpy malloc calloc realloc free printf fprintf puts putchar fputs exit; do set -- "$@" --redefine-sym $name=judged_$name; done
    objcopy "$@" scheduled.o && cc scheduled.o witness.o parts.a -o scheduled -ldl
}
asan() { cc -w -I first -fsanitize=address,undefined -fno-sanitize-recover=undefined $NAME.c parts.a -o asan; }
tsan() { if grep -q pthread_create $NAME.c && ! grep -q threads.h $NAME.c; then cc -w -I first -fsanitize=thread $NAME.c parts.a -o tsan; fi; }
for build in $BUILDS; do $build 2>notes.$build & done
wait'

setup_file() {
    local chapter file build
    chapter=$book/chapters/$(dirname "$EXERCISE")
    judge_tools && judge_stage || return 1
    cp "$ANSWER" "$stage/at/$exercise.c"
    cp "$book"/common/*.h "$chapter/build/parts.a" "$tools/witness.o" "$stage/at/"
    for file in "$chapter"/*.h; do if [ -f "$file" ]; then cp "$file" "$stage/at/"; fi; done
    if declare -F add_headers >/dev/null; then mkdir "$stage/at/first" && add_headers "$stage/at/first"; fi
    judge_run --time 20000 --output 256 --env "CC=${CC:-gcc}" --env "NAME=$exercise" --env "BUILDS=$builds" --env "LENIENT=${JUDGE_LENIENT:-}" -- sh -c "$compile"
    mkdir -p "$compiled"
    for build in $builds; do
        if [ -f "$stage/at/$build" ]; then
            cp "$stage/at/$build" "$compiled/"
        elif [ -f "$stage/at/plain" ] && [ -s "$stage/at/notes.$build" ]; then
            # an instrument that this machine does not have is left out; the rest goes on
            echo "left out: $build: $(grep -m 1 -E 'error|cannot|not found' "$stage/at/notes.$build")" >>"$VERDICT_FILE.notes"
        fi
    done
    if [ -f "$compiled/plain" ]; then
        cp "$stage/at/notes.plain" "$WARNINGS_FILE"
    else
        err=$stage/at/notes.plain
        verdict="does not compile"
        details=$(grep -m 3 -A 2 -E 'error|undefined|multiple' "$err" || head -n 8 "$err")$'\n'
        tell "$exercise" "$(general_hint "$verdict")" >"$VERDICT_FILE"
    fi
    judge_clean
}

can_schedule() { [ -x "$compiled/scheduled" ]; }

setup() {
    [ ! -s "$VERDICT_FILE" ] || skip "a verdict was found before"
    trap - DEBUG                # bats looks at every command by it; here that would take half of the time
    judge_stage
    echo $((${JUDGE_SEED:-1} * 7919 + BATS_TEST_NUMBER * 104729)) >"$stage/random"
    mkdir "$stage/inputs"
    cd "$stage/inputs" || return 1
}

teardown() {
    cd / && judge_clean
}

# random LOW HIGH: prints a number. The same seed gives the same numbers (bash's own RANDOM would not, in $(...)).
random() {
    local state
    read -r state <"$stage/random"
    state=$(((state * 1103515245 + 12345) % 2147483648))
    echo $state >"$stage/random"
    echo $(($1 + state / 8 % ($2 - $1 + 1)))
}

# run_answer [--time MS] [--stdin FILE] [--feed BYTES] ARGUMENT...
run_answer() {
    options=()
    while true; do
        case ${1:-} in
        --stdin) options+=(--in "$2"); shift 2 ;;
        --time | --feed) options+=("$1" "$2"); shift 2 ;;
        *) break ;;
        esac
    done
    arguments=("$@")
    ran="./$exercise $*"
    staged=
    run_build plain --time 6000 "${options[@]}"
    judge_events
}

# run_build BUILD [RUNNER OPTION VALUE]...: the same command once more, with one of the builds.
run_build() {
    local build=$1
    shift
    if [ "$build" != "$staged" ]; then cp "$compiled/$build" "$stage/at/$exercise"; fi
    if [ -z "$staged" ]; then before=$(cd "$stage/at" && echo * .[!.]*); fi
    staged=$build
    if [ "$build" = scheduled ]; then
        judge_scheduled "$seed" "$compiled/scheduled" "${options[@]}" "$@" -- "./$exercise" "${arguments[@]}"
    else
        judge_run "${options[@]}" "$@" -- "./$exercise" "${arguments[@]}"
    fi
    if [ "$verdict" = pass ] && [ "$orphans_before" -gt 0 ]; then
        verdict="left behind"
        details+="$orphans_before of its processes lost their parent, which had not waited for them"$'\n'
    fi
}

unjoined_hint="a thread is neither joined nor detached: wait for each one with pthread_join; one that nobody joins must be detached, and main must not end before it"

# expect / expect_unordered: the expected block comes on stdin, in the grammar of the Output blocks.
expect() { expect_block ordered; }
expect_unordered() { expect_block unordered; }

expect_block() {
    local ordering=$1 hint='' sure_hint='' more_hint=''
    want=$stage/want at=$stage/at       # at: where the run was that explain() is asked about
    cat >"$want"
    # asked for one schedule again: the plain run does not matter
    if [ -n "${JUDGE_REPLAY:-}" ]; then verdict=pass; else judge_compare - "$ordering" <"$want"; fi
    case $verdict in
    pass) under_instruments "$ordering" ;;
    hang) case $details in "every process waits"*) ask_the_scheduler "$ordering" --time 3000 ;; esac ;;
    "wrong output" | "wrong exit status") ask_the_scheduler "$ordering" --time 3000 ;;
    esac
    if [ "$verdict" = pass ] && [ -f "$BATS_FILE_TMPDIR/remark" ] &&
        [ "$BATS_TEST_NUMBER" -eq "$(grep -c '^@test' "$BATS_TEST_FILENAME")" ]; then
        verdict="left behind" details=$(cat "$BATS_FILE_TMPDIR/remark")$'\n'
        sure_hint="close what you open, in the process that opened it, when it is no longer needed"
        case $details in
        thread*) sure_hint=$unjoined_hint ;;
        esac
    fi
    [ "$verdict" = pass ] && return 0
    case $details in
    *LeakSanitizer*) sure_hint="memory that malloc, calloc or realloc gave was not given back: free it" ;;
    esac
    if [ -n "$sure_hint" ]; then
        hint=$sure_hint
    elif [ "$verdict" = "wrong output" ] && prints_the_example; then
        hint="it prints the example, whatever its arguments and input are"
    elif [ "$verdict" != "over the limit" ] && [ "$verdict" != race ] && [ "$verdict" != deadlock ] && declare -F explain >/dev/null; then
        hint=$(explain)
    fi
    [ -n "$hint" ] || hint=$(hint_of_stderr)
    case $verdict in
    "wrong output" | "wrong exit status" | crash | hang)
        if [ -z "$hint" ] && grep -qs '^thread' "$BATS_FILE_TMPDIR/remark"; then hint=$(cat "$BATS_FILE_TMPDIR/remark"); fi
        [ -n "$hint$more_hint" ] || more_hint=$("$tools/draw" hint "$region" "$compiled/plain" 2>/dev/null) ;;
    esac
    [ -n "$hint" ] || hint=$more_hint
    if [ "$verdict" = "left behind" ]; then
        details=$("$tools/draw" made "$region" "$compiled/plain" <<<"$details" 2>/dev/null | grep .)$'\n'
    fi
    fail_with "$verdict" "$hint"
}

prints_the_example() {
    [ -s "$out" ] &&
        "$tools/match" compare "$book/tests/exercises/$(dirname "$EXERCISE")/starter/$exercise.c" 1 "$out" "$err" "$end" >/dev/null 2>&1
}

# The plain run was right. Is it so under every schedule we try, under noise, and for the sanitizers? The numbers are
# of the whole exercise, shared among its checks. Leaves $verdict, and what the plain run left if all is well.
schedules=${JUDGE_SCHEDULES:-60} noises=10
under_instruments() {
    # shellcheck disable=SC2034  # order: the checks' own forced orders are for the plain run only
    local order='' kind=$1 checks plain=("$out" "$err" "$events" "$end" "$region")
    [ -z "${JUDGE_PLAIN:-}" ] || return 0
    checks=$(grep -c '^@test' "$BATS_TEST_FILENAME")
    if [ -d "$stage/again" ]; then      # a second run in the same check: a few schedules are enough
        if can_schedule; then under_schedules "$kind" 3; fi
    else
        mkdir "$stage/again"
        if can_schedule; then under_schedules "$kind" $(((schedules + checks - 1) / checks)); fi
        if [ -n "${JUDGE_REPLAY:-}" ]; then
            [ "$verdict" != pass ] || "$tools/draw" picture "$region" "$compiled/scheduled" "$exercise.c" "$ANSWER" >>"$VERDICT_FILE.drawing"
        elif [ "$verdict" = pass ]; then
            side_by_side under_noise under_sanitizers
        fi
    fi
    if [ "$verdict" = pass ]; then out=${plain[0]} err=${plain[1]} events=${plain[2]} end=${plain[3]} region=${plain[4]}; fi
}

# side_by_side COMMAND1 COMMAND2: both at the same time, since there mostly are two cores, each in a folder of its own.
# What the first one leaves counts, if that is not "pass"; else what the second one leaves.
side_by_side() {
    in_folder 1 "$1" &
    [ -z "${one_at_a_time:-}" ] || wait
    in_folder 2 "$2" &
    wait
    # shellcheck disable=SC1091
    . "$stage/1/result"
    if [ "$verdict" = pass ]; then . "$stage/2/result"; fi
}

in_folder() {
    local base=$stage folder=$1 name
    exec 3>&-
    stage=$base/$folder
    rm -rf "$stage" && mkdir -p "$stage/at" "$stage/again"      # again: by it the checks see that this is no plain run
    ln -s "$base/inputs" "$stage/inputs"
    for name in $before; do if [ -e "$base/at/$name" ]; then cp -a "$base/at/$name" "$stage/at/"; fi; done
    out=$stage/out err=$stage/err report=$stage/report events=$stage/events region=$stage/region at=$stage/at
    $2
    for name in verdict details end out err events region at sure_hint failed tried begun best worst; do
        printf '%s=%q\n' $name "${!name-}"
    done >"$stage/result"
}

under_noise() {
    local seed
    for ((seed = BATS_TEST_NUMBER; seed <= noises; seed += checks)); do
        again "$kind" plain --env "WORKBOOK_NOISE=$seed"
        [ "$verdict" = pass ] && continue
        judge_events
        details="under noise $seed:"$'\n'$details
        hint_of_noise $seed
        return 0
    done
}

hint_of_noise() {
    case $1 in
    1) sure_hint="it fails when signals interrupt its calls: a call that ends with EINTR must be made again" ;;
    2) sure_hint="it fails when read and write take fewer bytes than asked for (short counts): go on until all are there, as read_full and write_full do" ;;
    esac
}

under_sanitizers() {
    local build leaks=1
    if grep -q '^fork ' "${plain[2]}"; then leaks=0; fi
    for build in asan tsan; do
        if [ "$verdict" != pass ] || [ ! -x "$compiled/$build" ]; then continue; fi
        # ThreadSanitizer's own thread lets no process end whose main has ended by pthread_exit
        if [ $build = tsan ] && grep -q '^pthread_exit ' "${plain[2]}"; then continue; fi
        # Two orders that an outer lock makes safe are no mistake: a real deadlock is found under the schedules. And what
        # a parent's thread leaves in the memory of a forked child is no leak of the child.
        run_sanitizer "$kind" $build "TSAN_OPTIONS=detect_deadlocks=0:report_thread_leaks=$leaks"
    done
}

# run_sanitizer KIND BUILD OPTIONS
run_sanitizer() {
    again "$1" "$2" --memory 4096 --env "$3"
    if [ "$end" = "exit 127" ] && grep -qE 'Error loading|error while loading shared libraries' "$err"; then
        echo "left out: $2: $(head -n 1 "$err")" >"$VERDICT_FILE.notes"    # it links here, but does not start
        verdict=pass
        return 0
    fi
    sanitizer_said
    if [ "$verdict" != pass ]; then events=${plain[2]}; fi
}

again() {
    local kind=$1 file
    shift
    for file in "$stage/at"/* "$stage/at"/.[!.]*; do     # each run begins with the same files; .events is the runner's
        case " $before .events " in *" ${file##*/} "*) ;; *) rm -rf "$file" ;; esac
    done
    run_build "$@"
    # what the end of the program cleans up is the least of all mistakes: it is told when no other one is found
    case $verdict$details in
    "left behinddescriptor "* | "left behindthread "*)
        echo "${details%%$'\n'*}" >"$BATS_FILE_TMPDIR/remark"
        verdict=pass details='' ;;
    esac
    judge_compare - "$kind" <"$want"
}

# A sanitizer's own words are the verdict.
sanitizer_said() {
    if grep -q 'ThreadSanitizer: data race' "$err"; then
        verdict=race
    elif grep -q 'ThreadSanitizer: thread leak' "$err"; then
        verdict="left behind" sure_hint=$unjoined_hint
    elif grep -q 'ERROR: LeakSanitizer' "$err"; then
        verdict="left behind"
    elif grep -qE 'ERROR: (Address|Thread)Sanitizer|runtime error:' "$err"; then
        verdict=crash
    else
        return 0
    fi
    details=$(grep -E -A 6 'Sanitizer|runtime error|^  (Write|Read|Previous|Location)' "$err" | head -n 24)$'\n'
}

# under_schedules KIND COUNT: one half of them beside the other. Tells how many failed, and draws the shortest that did.
under_schedules() {
    local kind=$1 count=$2 first failed=0 tried=0 begun=0 best=0 worst=0 other
    first=$((((BATS_TEST_NUMBER - 1) * count) + 1))
    if [ -n "${JUDGE_REPLAY:-}" ]; then first=$JUDGE_REPLAY count=1; fi
    side_by_side half_of_the_schedules half_of_the_schedules
    # of the two shortest, the shorter one; the numbers, of both together
    . "$stage/2/result"
    other=("$failed" "$tried" "$begun" "$best")
    . "$stage/1/result"
    if [ "${other[0]}" -gt 0 ] && { [ "$failed" = 0 ] || [ "${other[3]}" -lt "$best" ]; }; then
        other=("$failed" "$tried" "$begun")
        . "$stage/2/result"
    fi
    failed=$((failed + other[0])) tried=$((tried + other[1]))
    [ $failed -gt 0 ] || return 0
    if [ "${other[0]}" -gt 0 ] && [ "${other[2]}" -lt "$begun" ]; then begun=${other[2]}; fi
    details+="failed $failed of the $tried schedules tried, first with seed $begun. Drawn is seed $worst, the shortest"
    details+="$([ "$verdict" != race ] || [ "$best" -ge 100000 ] || echo " with a wrong output")$(say_again "$worst")"$'\n'
    details+=$("$tools/draw" picture "$region" "$compiled/scheduled" "$exercise.c" "$ANSWER")$'\n'
    case $verdict in
    "wrong output" | "wrong exit status" | hang) more_hint=$("$tools/draw" hint "$region" "$compiled/scheduled") ;;
    esac
}

# "judge file" has no replay.
say_again() {
    if [ "$exercise" != file ]; then echo "; again: REPLAY=$1 make replay-$exercise"; fi
}

half_of_the_schedules() {
    local seed switches shortest
    for ((seed = first + folder - 1; seed < first + count; seed += 2)); do
        again "$kind" scheduled --time 5000
        tried=$((tried + 1))
        [ "$verdict" != pass ] || continue
        failed=$((failed + 1))
        [ $failed -gt 1 ] || begun=$seed
        read -r _ switches < <("$tools/draw" count "$region" 2>/dev/null || echo 0 0)
        # a race is best seen where it does harm
        if [ "$verdict" = race ] && "$tools/match" compare - "$kind" "$out" "$err" "$end" <"$want" >/dev/null; then
            switches=$((switches + 100000))
        fi
        if [ $failed = 1 ] || [ "$switches" -lt "$best" ]; then
            best=$switches worst=$seed shortest=("$verdict" "$details" "$end")
            for file in out err region at; do rm -rf "$stage/worst.$file" && cp -a "$stage/$file" "$stage/worst.$file"; done
        fi
        if [ "$failed" -ge 4 ] || [ "$took" -ge 1000 ]; then break; fi      # one that hangs is enough
    done
    [ "$failed" -gt 0 ] || return 0
    verdict=${shortest[0]} details=${shortest[1]} end=${shortest[2]}
    out=$stage/worst.out err=$stage/worst.err region=$stage/worst.region at=$stage/worst.at
    judge_events
}

# A plain hang may be a deadlock, a wrong output may come from a race or from an interrupted call: the scheduler knows more
# about these, and so do the runs under noise. Leaves the plain verdict if they know nothing.
ask_the_scheduler() {
    local plain=("$verdict" "$details" "$out" "$err" "$events" "$end" "$region") seed tries=8 kind=$1
    shift
    [ -z "${JUDGE_PLAIN:-}" ] || return 0
    can_schedule || return 0
    if [ "$verdict" = hang ]; then tries=40; fi     # a hang is worth more
    # shellcheck disable=SC2034
    local order='' known=''
    mkdir -p "$stage/again"
    out=$stage/again/out err=$stage/again/err events=$stage/again/events region=$stage/again/region
    for ((seed = 1; seed <= tries && ${#known} == 0; seed++)); do
        again "$kind" scheduled "$@"
        case $verdict in
        race | deadlock | "wrong call")
            details+="under schedule $seed$(say_again "$seed")"$'\n'
            details+=$("$tools/draw" picture "$region" "$compiled/scheduled" "$exercise.c" "$ANSWER")$'\n'
            judge_events
            return 0 ;;
        pass) ;;
        *) known=$("$tools/draw" hint "$region" "$compiled/scheduled" 2>/dev/null) ;;
        esac
        [ "$took" -lt 1000 ] || break       # it waited for something real: more tries would only cost time
    done
    verdict=${plain[0]} details=${plain[1]} out=${plain[2]} err=${plain[3]} events=${plain[4]} end=${plain[5]} region=${plain[6]}
    more_hint=$known
}

# fail_with VERDICT [HINT]: ends this check, and the judging, with that verdict.
fail_with() {
    verdict=$1
    tell "$exercise: $BATS_TEST_DESCRIPTION (it ran $ran)" "${2:-$(general_hint "$verdict")}" | tee "$VERDICT_FILE"
    return 1
}

# How many children the first process had at once, forked and not yet reaped.
most_children() {
    awk '$1 == "start" && !first { first = $2 }
         $1 == "fork" && $2 == first { if (++now > most) most = now }
         $1 == "wait" && $2 == first { now-- }
         END { print most + 0 }' "$events"
}

# How many threads the first process had at once, made and not yet joined.
most_threads() {
    awk '$1 == "start" && !first { first = $2 }
         $1 == "thread" && $2 == first { if (++now > most) most = now }
         $1 == "join" && $2 == first { now-- }
         END { print most + 0 }' "$events"
}

count_events() {
    grep -c "^$1 " "$events" || true
}

# expect_parallel N: all N children were there before the first was waited for. expect_threads N: all N threads,
# before the first was joined.
expect_parallel() {
    local most
    most=$(most_children)
    [ "$most" -ge "$1" ] && return 0
    fail_with "not parallel" "only $most of $1 children were there at once: start them all before you wait for the first"
}
expect_threads() {
    local most
    most=$(most_threads)
    [ "$most" -ge "$1" ] && return 0
    fail_with "not parallel" "only $most of $1 threads were there at once: start them all before you join the first"
}
