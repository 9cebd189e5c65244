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

# The answer is compiled where it can read nothing but itself and common/: plainly first; for the scheduler, with a call
# before every access to memory, and for the sanitizers, where the compiler has them, only when it has run plainly.
# shellcheck disable=SC2016  # expanded by the shell in the cage
cc='cc() { "$CC" -std=c11 -g -O0 -pthread -I . "$@"; }
'
# shellcheck disable=SC2016
compile_plain=$cc'cc -Wall -Wextra $NAME.c witness.o parts.a -o plain -ldl'
# shellcheck disable=SC2016
compile_scheduled=$cc'
{ cc -w -fsanitize=thread -fno-builtin -c $NAME.c -o scheduled.o &&
  for name in memcpy memmove memset strcpy malloc calloc realloc free printf fprintf puts putchar fputs exit; do set -- "$@" --redefine-sym $name=judged_$name; done &&
  objcopy "$@" scheduled.o && cc scheduled.o witness.o parts.a -o scheduled -ldl; } 2>notes'
# ThreadSanitizer does not know the threads of C11 (threads.h): it tells of races that are none.
# shellcheck disable=SC2016
compile_sanitizers=$cc'
cc -w -fsanitize=address,undefined -fno-sanitize-recover=undefined $NAME.c parts.a -o asan 2>notes &
if grep -q pthread_create $NAME.c && ! grep -q threads.h $NAME.c; then cc -w -fsanitize=thread $NAME.c parts.a -o tsan 2>notes_tsan & fi
wait'

# compile SCRIPT: in a folder of its own, which is $stage.
compile() {
    local chapter file
    chapter=$book/chapters/$(dirname "$EXERCISE")
    judge_stage || return 1
    cp "$ANSWER" "$stage/at/$exercise.c"
    cp "$book"/common/*.h "$chapter/build/parts.a" "$tools/witness.o" "$stage/at/"
    for file in "$chapter"/*.h; do if [ -f "$file" ]; then cp "$file" "$stage/at/"; fi; done
    judge_run --time 20000 --env "CC=${CC:-gcc}" --env "NAME=$exercise" -- sh -c "$1"
    mkdir -p "$compiled"
    for file in plain scheduled asan tsan; do
        if [ -f "$stage/at/$file" ]; then cp "$stage/at/$file" "$compiled/"; fi
    done
}

setup_file() {
    judge_tools && compile "$compile_plain" || return 1
    if [ "$end" = "exit 0" ]; then
        cp "$err" "$WARNINGS_FILE"
    else
        verdict="does not compile"
        details=$(grep -m 3 -A 2 -E 'error|undefined|multiple' "$err" || head -n 8 "$err")$'\n'
        tell "$exercise" "$(general_hint "$verdict")" >"$VERDICT_FILE"
    fi
    judge_clean
}

# compile_once SCRIPT BUILD:NOTES...: other builds, when they are first needed. An instrument that this machine does not have
# is left out; the rest goes on.
compile_once() {
    local build done=$compiled/tried.${2%%:*}
    [ ! -f "$done" ] || return 0
    (
        compile "$1"
        for build in "${@:2}"; do
            if [ -s "$stage/at/${build#*:}" ] && [ ! -f "$stage/at/${build%:*}" ]; then
                echo "left out: ${build%:*}: $(grep -m 1 -E 'error|cannot|not found' "$stage/at/${build#*:}")" >>"$VERDICT_FILE.notes"
            fi
        done
        judge_clean
    )
    : >"$done"
}
can_schedule() {
    compile_once "$compile_scheduled" scheduled:notes
    [ -x "$compiled/scheduled" ]
}

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

# expect / expect_unordered: the expected block comes on stdin, in the grammar of the Output blocks.
expect() { expect_block ordered; }
expect_unordered() { expect_block unordered; }

expect_block() {
    local ordering=$1 hint='' sure_hint=''
    want=$stage/want
    cat >"$want"
    # asked for one schedule again: the plain run does not matter
    if [ -n "${JUDGE_REPLAY:-}" ]; then verdict=pass; else judge_compare - "$ordering" <"$want"; fi
    case $verdict in
    pass) under_instruments "$ordering" ;;
    hang) case $details in "every process waits"*) ask_the_scheduler --time 3000 ;; esac ;;
    "wrong output" | "wrong exit status") ask_the_scheduler ;;
    esac
    if [ "$verdict" = pass ] && [ -f "$BATS_FILE_TMPDIR/descriptor" ] &&
        [ "$BATS_TEST_NUMBER" -eq "$(grep -c '^@test' "$BATS_TEST_FILENAME")" ]; then
        verdict="left behind" details=$(cat "$BATS_FILE_TMPDIR/descriptor")$'\n'
        sure_hint="close what you open, in the process that opened it, when it is no longer needed"
    fi
    [ "$verdict" = pass ] && return 0
    if [ -n "$sure_hint" ]; then
        hint=$sure_hint
    elif [ "$verdict" = "wrong output" ] && [ -s "$out" ] &&
        "$tools/match" compare "$book/tests/exercises/$(dirname "$EXERCISE")/starter/$exercise.c" 1 "$out" "$err" "$end" >/dev/null 2>&1; then
        hint="it prints the example, whatever its arguments and input are"
    elif [ "$verdict" != "over the limit" ] && [ "$verdict" != race ] && [ "$verdict" != deadlock ] && declare -F explain >/dev/null; then
        hint=$(explain)
    fi
    [ -n "$hint" ] || hint=$(hint_of_stderr)
    fail_with "$verdict" "$hint"
}

# The plain run was right. Is it so under every schedule we try, under noise, and for the sanitizers? The numbers are
# of the whole exercise, shared among its checks. Leaves $verdict, and what the plain run left if all is well.
schedules=${JUDGE_SCHEDULES:-60} noises=10
under_instruments() {
    # shellcheck disable=SC2034  # order: the checks' own forced orders are for the plain run only
    local order='' kind=$1 checks seed build leaks=1 plain=("$out" "$err" "$events" "$end")
    [ -z "${JUDGE_PLAIN:-}" ] || return 0
    if [ -d "$stage/again" ]; then      # a second run in the same check: a few schedules are enough
        again_plainly "$kind"
        return 0
    fi
    checks=$(grep -c '^@test' "$BATS_TEST_FILENAME")
    mkdir -p "$stage/again"
    out=$stage/again/out err=$stage/again/err events=$stage/again/events
    if can_schedule; then under_schedules "$kind" $(((schedules + checks - 1) / checks)); fi
    if [ -n "${JUDGE_REPLAY:-}" ]; then
        [ "$verdict" != pass ] || "$tools/draw" picture "$stage/at/.events" "$compiled/scheduled" >>"$VERDICT_FILE.drawing"
        noises=0
    fi
    for ((seed = BATS_TEST_NUMBER; seed <= noises; seed += checks)); do
        [ "$verdict" = pass ] || return 0
        again "$kind" plain --env "WORKBOOK_NOISE=$seed"
        [ "$verdict" = pass ] && continue
        judge_events
        details="under noise $seed:"$'\n'$details
        case $seed in
        1) sure_hint="it fails when signals interrupt its calls: a call that ends with EINTR must be made again" ;;
        2) sure_hint="it fails when read and write take fewer bytes than asked for (short counts): go on until all are there, as read_full and write_full do" ;;
        esac
    done
    if grep -q '^fork ' "${plain[2]}"; then leaks=0; fi
    if [ "$verdict" = pass ] && [ -z "${JUDGE_REPLAY:-}" ]; then compile_once "$compile_sanitizers" asan:notes tsan:notes_tsan; fi
    for build in asan tsan; do
        [ "$verdict" = pass ] || return 0
        [ -x "$compiled/$build" ] || continue
        # ThreadSanitizer's own thread lets no process end whose main has ended by pthread_exit
        if [ $build = tsan ] && grep -q '^pthread_exit ' "${plain[2]}"; then continue; fi
        # Two orders that an outer lock makes safe are no mistake: a real deadlock is found under the schedules. And what
        # a parent's thread leaves in the memory of a forked child is no leak of the child.
        again "$kind" $build --memory 4096 --env "TSAN_OPTIONS=detect_deadlocks=0:report_thread_leaks=$leaks"
        if [ "$end" = "exit 127" ] && grep -qE 'Error loading|error while loading shared libraries' "$err"; then
            echo "left out: $build: $(head -n 1 "$err")" >"$VERDICT_FILE.notes"    # it links here, but does not start
            verdict=pass
            continue
        fi
        sanitizer_said $build
        if [ "$verdict" != pass ]; then events=${plain[2]}; fi
    done
    if [ "$verdict" = pass ]; then out=${plain[0]} err=${plain[1]} events=${plain[2]} end=${plain[3]}; fi
}

again_plainly() {
    local plain=("$out" "$err" "$events" "$end")
    out=$stage/again/out err=$stage/again/err events=$stage/again/events
    if can_schedule; then under_schedules "$1" 3; fi
    if [ "$verdict" = pass ]; then out=${plain[0]} err=${plain[1]} events=${plain[2]} end=${plain[3]}; fi
}

again() {
    local kind=$1
    shift
    run_build "$@"
    # a descriptor left open is the least of all mistakes: it is told when no other one is found
    case $verdict$details in
    "left behinddescriptor "*)
        echo "${details%%$'\n'*}" >"$BATS_FILE_TMPDIR/descriptor"
        verdict=pass details='' ;;
    esac
    judge_compare - "$kind" <"$want"
}

# A sanitizer's own words are the verdict.
sanitizer_said() {
    if grep -q 'ThreadSanitizer: data race' "$err"; then
        verdict=race
    elif grep -q 'ERROR: LeakSanitizer' "$err"; then
        verdict="left behind"
    elif grep -qE 'ERROR: (Address|Thread)Sanitizer|runtime error:' "$err"; then
        verdict=crash
    else
        return 0
    fi
    details=$(grep -E -A 6 'Sanitizer|runtime error|^  (Write|Read|Previous|Location)' "$err" | head -n 24)$'\n'
}

# under_schedules KIND COUNT: tells how many failed, and draws the shortest that did.
under_schedules() {
    local kind=$1 count=$2 first failed=0 begun='' worst='' best='' switches harmless worst_verdict worst_details worst_end
    first=$((((BATS_TEST_NUMBER - 1) * count) + 1))
    if [ -n "${JUDGE_REPLAY:-}" ]; then first=$JUDGE_REPLAY count=1; fi
    for ((seed = first; seed < first + count; seed++)); do
        again "$kind" scheduled
        if [ "$verdict" != pass ]; then
            failed=$((failed + 1))
            [ $failed -gt 1 ] || begun=$seed
            read -r _ switches < <("$tools/draw" count "$stage/at/.events")
            # a race is best seen where it does harm
            harmless=0
            if [ "$verdict" = race ] && "$tools/match" compare - "$kind" "$out" "$err" "$end" <"$want" >/dev/null; then harmless=1; fi
            switches=$((harmless * 100000 + switches))
            if [ -z "$best" ] || [ "$switches" -lt "$best" ]; then
                best=$switches worst=$seed
                cp "$stage/at/.events" "$stage/again/region"
                cp "$out" "$stage/again/best.out"
                cp "$err" "$stage/again/best.err"
                worst_verdict=$verdict worst_details=$details worst_end=$end
            fi
            [ $failed -lt 8 ] || break
        fi
    done
    [ $failed -gt 0 ] || return 0
    judge_events "$stage/again/region"
    verdict=$worst_verdict end=$worst_end
    out=$stage/again/best.out err=$stage/again/best.err
    details=$worst_details"failed $failed of the $((seed - first < count ? seed - first + 1 : count)) schedules tried, first with seed $begun."
    details+=" Drawn is seed $worst, the shortest$([ "$verdict" != race ] || [ "$best" -ge 100000 ] || echo " with a wrong output"); again: REPLAY=$worst make replay-$exercise"$'\n'
    details+=$("$tools/draw" picture "$stage/again/region" "$compiled/scheduled")$'\n'
}

# A plain hang may be a deadlock, a wrong output may come from a race: the scheduler knows more about both.
ask_the_scheduler() {
    local held=("$verdict" "$details" "$out" "$err" "$events" "$end") seed tries=2
    [ -z "${JUDGE_PLAIN:-}" ] || return 0
    can_schedule || return 0
    if [ "$verdict" = hang ]; then tries=40; fi
    mkdir -p "$stage/again"
    out=$stage/again/out err=$stage/again/err events=$stage/again/events
    for ((seed = 1; seed <= tries; seed++)); do   # a hang is worth more tries
        # shellcheck disable=SC2034
        order='' run_build scheduled "$@"
        case $verdict in
        race | deadlock | "wrong call")
            details+="under schedule $seed; again: REPLAY=$seed make replay-$exercise"$'\n'
            details+=$("$tools/draw" picture "$stage/at/.events" "$compiled/scheduled")$'\n'
            return 0 ;;
        esac
        [ "$took" -lt 1000 ] || break       # it waited for something real: more tries would only cost time
    done
    verdict=${held[0]} details=${held[1]} out=${held[2]} err=${held[3]} events=${held[4]} end=${held[5]}
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
