# chapter.bash - the tests that every chapter's bats file is made of:  load lib/chapter
# Each function takes the chapter's name, goes through all its programs or exercises, tells each one
# that failed, and fails if any did. A new program is tested as soon as its file is there.

# shellcheck source-path=SCRIPTDIR source=judge.bash
. "$BATS_TEST_DIRNAME/lib/judge.bash"
judge=$lib/judge

setup_file() {
    judge_tools
}

programs_of() {
    local file
    for file in "$book/chapters/$1"/*.c; do
        if [ -f "$file" ] && [ ! -f "${file%.c}.h" ]; then basename "$file" .c; fi
    done
}

exercises_of() {
    local file
    for file in "$book/tests/exercises/$1"/*.bats; do
        if [ -f "$file" ]; then basename "$file" .bats; fi
    done
}

# each_program CHAPTER COMMAND...: runs COMMAND CHAPTER/NAME for each program.
each_program() {
    local chapter=$1 name failed=0
    shift
    for name in $(programs_of "$chapter"); do
        "$@" "$chapter/$name" || { echo "FAILED: $* $chapter/$name"; failed=1; }
    done
    return $failed
}

# ---- the quick suite ----

prints_its_output() {
    "$judge" program "$1"
}

# Programs with arguments: a usage line on stderr, nothing on stdout, exit 2, for whatever is wrong. All calls of a program
# are made in one run, by a small script: to start a run takes longer than such a call.
refuses_bad_arguments() {
    local chapter=${1%/*} name=${1#*/} source=$book/chapters/$1.c command words long i bad
    grep -q 'int main(int argc' "$source" || return 0
    judge_make "$book/chapters/$chapter" "build/$name" && stage_built "$1" || return 1
    long=$(printf '9%.0s' $(seq 5000))
    while IFS=$'\t' read -r _ _ command _ <&4; do
        [ "$command" = - ] && command=
        read -r -a words <<<"${command%%[<>]*}"
        refuse "${words[@]:1}" extra
        for ((i = 1; i < ${#words[@]}; i++)); do
            for bad in nonsense 12x '' ' ' "$long" 99999999999999999999 -99999999999999999999; do
                refuse "${words[@]:1:i-1}" "$bad" "${words[@]:i+1}"
            done
            # one argument too few, unless that is another block's command
            "$tools/match" list "$source" | cut -f 3 | sed 's/ *[<>].*//; s/^-$/.\/'"$name/" |
                grep -qxF "${words[*]:0:i}" || refuse "${words[@]:1:i-1}"
        done
    done 4< <("$tools/match" list "$source") >"$stage/calls"
    { cat <<'END'; sort -u "$stage/calls"; } >"$stage/at/calls"
try() {
    timeout 5 "$@" >said 2>usage
    end=$?
    [ $end = 2 ] && [ ! -s said ] && [ "$(wc -l <usage)" = 1 ] && grep -q '^usage: ' usage && return
    printf '%.60s: exit %d\n' "$*" $end
    head -c 300 said usage
}
END
    judge_run --time 30000 -- sh ./calls
    bad=0
    if [ "$verdict" != pass ] || [ -s "$out" ] || [ -s "$err" ]; then
        bad=1
        echo "$1: wanted a usage line and exit 2; it was: $verdict, $end"
        cat "$out" "$err"
    fi
    judge_clean
    return $bad
}

# refuse ARGUMENT...: a line for the script, which prints what is not refused.
refuse() {
    printf 'try ./%s' "$name"
    [ $# -eq 0 ] || printf ' %q' "$@"
    echo
}

# An exercise's starter compiles without a warning and does not pass; its solution passes. Plainly: the
# schedules, noise and sanitizers are for the deep suite.
starters_fail_and_solutions_pass() {
    local chapter=$1 name folder failed=0 result
    folder=$book/tests/exercises/$chapter
    for name in $(exercises_of "$chapter"); do
        result=$(JUDGE_PLAIN=1 "$judge" exercise "$chapter/$name" "$folder/starter/$name.c" 2>&1) && { echo "the starter of $name passes"; failed=1; }
        case $result in
        "does not compile"* | "judge error"* | *"the compiler warns"*) printf 'the starter of %s:\n%s\n' "$name" "$result"; failed=1 ;;
        esac
        result=$(JUDGE_PLAIN=1 "$judge" exercise "$chapter/$name" "$folder/solution/$name.c" 2>&1) || { printf 'the solution of %s:\n%s\n' "$name" "$result"; failed=1; }
        if ! cmp -s "$folder/starter/$name.c" "$book/chapters/$chapter/exercises/$name.c" && [ "${CI:-}" ]; then
            echo "exercises/$name.c is not the starter"; failed=1
        fi
    done
    return $failed
}

# ---- the deep suite ----

solutions_pass_whatever_the_schedule() {
    local chapter=$1 name failed=0 result
    for name in $(exercises_of "$chapter"); do       # seed 1 is the quick suite's, and the student's
        result=$(JUDGE_SEED=2 "$judge" exercise "$chapter/$name" "$book/tests/exercises/$chapter/solution/$name.c" 2>&1) ||
            { printf 'the solution of %s, seed 2:\n%s\n' "$name" "$result"; failed=1; }
    done
    return $failed
}

under_schedules() { "$judge" schedules "$1" 20; }

# Each mistake gets the verdict, and the words in its hint, that its first line names. Two at a time: many of them wait,
# to be found waiting. Most are found in the first schedules; only who is not, gets all of them.
mistakes_get_their_verdicts() {
    local chapter=$1 file name failed=0 count
    for file in "$book/tests/exercises/$chapter"/mistakes/*.c; do
        [ -f "$file" ] || continue
        while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || true; done
        { gets_its_verdict "$chapter" "$file" 12 >/dev/null || gets_its_verdict "$chapter" "$file" 60; } \
            >"$BATS_TEST_TMPDIR/$(basename "$file")" 2>&1 3>&- || echo "$file" >>"$BATS_TEST_TMPDIR/failed" &
    done
    wait
    if [ -f "$BATS_TEST_TMPDIR/failed" ]; then
        failed=1
        while read -r file; do cat "$BATS_TEST_TMPDIR/$(basename "$file")"; done <"$BATS_TEST_TMPDIR/failed"
    fi
    for name in $(exercises_of "$chapter"); do
        count=$(find "$book/tests/exercises/$chapter/mistakes" -name "$name.*.c" | wc -l)
        [ "$count" -ge 3 ] || { echo "$name has only $count known mistakes"; failed=1; }
    done
    return $failed
}

# gets_its_verdict CHAPTER FILE SCHEDULES
gets_its_verdict() {
    local chapter=$1 file=$2 name wanted words result
    name=$(basename "$file")
    IFS='|' read -r wanted words < <(sed -n '1s,^/\* *\(.*\) *\*/$,\1,p' "$file")
    wanted=${wanted%% } words=${words## } words=${words%% }
    if [ -z "$wanted" ] || [ -z "$words" ]; then
        echo "$name: its first line is not /* VERDICT | WORDS */"
        return 1
    fi
    result=$(JUDGE_SCHEDULES=$3 "$judge" exercise "$chapter/${name%%.*}" "$file" 2>/dev/null) || true
    if [ "${result%%:*}" != "$wanted" ] || ! grep -qF -e "$words" <<<"$(sed -n 2p <<<"$result")"; then
        printf '%s: wanted "%s" and a hint with "%s", got:\n%s\n' "$name" "$wanted" "$words" "$result"
        return 1
    fi
}

on_one_core() { taskset -c 0 "$judge" program "$1" --times 8; }
many_times() { "$judge" program "$1" --times "${times:-12}"; }
on_a_terminal() { "$judge" program "$1" --pty 1; }
under_sanitizer() { VARIANT=$1 "$judge" program "$2" --memory 8192 --time 30000; }

# with_load COMMAND...: four busy loops beside it, ended afterwards.
with_load() {
    local loops=() result i times=4     # each run takes longer there; the other tests run beside it
    for i in 1 2 3 4; do
        timeout 300 sh -c 'while :; do :; done' 3>&- &
        loops+=($!)
    done
    "$@"
    result=$?
    kill "${loops[@]}"
    wait "${loops[@]}" 2>/dev/null || true
    return $result
}

# each_block CHAPTER/NAME COMMAND...: runs COMMAND with the program staged, $block_command set, for each block
# that is a program alone (servers have their own tests).
each_block() {
    local program=$1 chapter=${1%/*} name=${1#*/} signal command failed=0
    shift
    judge_make "$book/chapters/$chapter" VARIANT="${VARIANT:-}" "build${VARIANT:+/$VARIANT}/$name" || return 1
    while IFS=$'\t' read -r _ _ command signal _ <&4; do
        [ "$command" = - ] && command=./$name
        [ "$signal" = - ] || continue
        "$@" "$program" "$command" || failed=1
        [ -z "${first_only:-}" ] || break
    done 4< <("$tools/match" list "$book/chapters/$chapter/$name.c")
    return $failed
}

stage_built() {
    local program=$1
    judge_stage || return 1
    cp "$book/chapters/${program%/*}/build${VARIANT:+/$VARIANT}/${program#*/}" "$stage/at/"
}

# What is wanted of a program that was struck: it ends, soon, with nothing left; and when a child was killed
# (kind child) it either did not matter any more or is told, with exit 1.
survives_strikes() {
    local kind=$1 times=$2
    each_block "$3" strike_block "$kind" "$times"
}

strike_block() {
    local kind=$1 times=$2 program=$3 command=$4 i longest failed=0 whom
    stage_built "$program" && judge_run -- sh -c "exec $command"
    longest=$((took * 1000 + 1000))
    judge_clean
    case $kind in
    child) whom=child:SIGKILL ;;
    interrupt) whom=group:SIGINT ;;
    terminate) whom=main:SIGTERM ;;
    kill) whom=main:SIGKILL ;;
    esac
    for ((i = 1; i <= times; i++)); do
        stage_built "$program"
        judge_run --time 5000 --strike "$whom:$((longest * i / times))" -- sh -c "exec $command"
        forgive_the_unwaited
        if [ "$verdict" != pass ] && [ "$verdict" != crash ]; then
            failed=1
            echo "$command, $whom after $((longest * i / times)) us: $verdict"
            cat "$report" "$err"
        elif [ "$kind" = child ] && [ -n "$struck" ] && [ "$end" != "exit 0" ] && ! told_of_the_end; then
            failed=1
            echo "$command, a child was killed after $((longest * i / times)) us: $end, and stderr is: $(cat "$err")"
        fi
        judge_clean
    done
    return $failed
}

# A parent that was killed, or that ended by an error, cannot wait for its children: that they are gone is enough.
forgive_the_unwaited() {
    if [ "$verdict" = "left behind" ] && ! grep -q '^left: ' "$report"; then verdict=pass; fi
}

told_of_the_end() {
    [ "$end" = "exit 1" ] && [ -s "$err" ]
}

# Each of its calls made to fail in turn: one line on stderr, exit 1, nothing left.
survives_failing_calls() {
    VARIANT=judge each_block "$1" fail_block
}

fail_block() {
    local program=$1 command=$2 call number failed=0
    for call in fork pipe open mmap; do
        for ((number = 1; number < 40; number++)); do
            VARIANT=judge stage_built "$program"
            judge_run --time 5000 --env "WORKBOOK_FAIL=$call:$number" -- sh -c "exec $command"
            judge_events
            if ! grep -q '^failed ' "$events"; then
                judge_clean
                break
            fi
            forgive_the_unwaited
            if [ "$verdict" != pass ] || { [ "$end" != "exit 0" ] && ! told_of_the_end; }; then
                failed=1
                echo "$command, with $call failing the ${number}th time: $verdict, $end"
                cat "$report" "$out" "$err"
            fi
            judge_clean
        done
    done
    return $failed
}

under_valgrind() {
    first_only=1 each_block "$1" valgrind_block      # it is slow, and the other sanitizers see all blocks
}

# Valgrind must run, and find nothing in the program's memory. How the program ends is not looked at: valgrind does not
# know all calls (pidfd_open), its vfork is a fork, and it holds signals back, so that a later one may overtake.
valgrind_block() {
    local program=$1 command=$2 good=1
    stage_built "$program"
    judge_run --time 60000 --memory 8192 -- sh -c "exec valgrind -q --error-exitcode=99 --leak-check=full \
        --errors-for-leak-kinds=definite --show-leak-kinds=definite $command"
    if grep -q 'You cannot run .* directly' "$err"; then
        echo "# left out: $command becomes its own program again, which valgrind does not allow" >&3
    elif [ "$verdict" = hang ] || [ "$end" = "exit 99" ] || grep -qE '^==[0-9]+==|^valgrind: ' "$err"; then
        good=0
        echo "$command: $verdict, $end"
        cat "$err"
    fi
    judge_clean
    [ $good = 1 ]
}
