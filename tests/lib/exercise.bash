# exercise.bash - what the checks of an exercise (tests/exercises/CHAPTER/NAME.bats) are written with:
#     load ../../lib/exercise
# The answer is $ANSWER, or the student's own file. It is compiled once, in the cage, and then run by each
# check. The first verdict that is not "pass" ends the judging: the other checks are skipped.
# An exercise may define explain(), which prints one line that names the mistake, or nothing.

# shellcheck source-path=SCRIPTDIR source=judge.bash
. "$BATS_TEST_DIRNAME/../../lib/judge.bash"
: "${EXERCISE:=$(basename "$BATS_TEST_DIRNAME")/$(basename "$BATS_TEST_FILENAME" .bats)}"
: "${ANSWER:=$book/chapters/$(dirname "$EXERCISE")/exercises/$(basename "$EXERCISE").c}"
: "${VERDICT_FILE:=$BATS_FILE_TMPDIR/verdict}"
: "${WARNINGS_FILE:=/dev/null}"
exercise=$(basename "$EXERCISE")
compiled=$BATS_FILE_TMPDIR/compiled
export EXERCISE ANSWER VERDICT_FILE

# Compiles the answer where it can read nothing but itself and common/.
setup_file() {
    local chapter
    chapter=$book/chapters/$(dirname "$EXERCISE")
    judge_tools && judge_stage || return 1
    cp "$ANSWER" "$stage/at/$exercise.c"
    cp "$book"/common/*.h "$chapter/build/parts.a" "$tools/witness.o" "$stage/at/"
    for file in "$chapter"/*.h; do [ -f "$file" ] && cp "$file" "$stage/at/"; done
    judge_run --time 20000 -- "${CC:-gcc}" -std=c11 -g -O0 -Wall -Wextra -pthread -I . \
        "$exercise.c" witness.o parts.a -o "$exercise" -ldl
    if [ "$end" = "exit 0" ]; then
        mkdir "$compiled" && cp "$stage/at/$exercise" "$compiled/"
        cp "$err" "$WARNINGS_FILE"
    else
        verdict="does not compile"
        details=$(grep -m 3 -A 2 -E 'error|undefined|multiple' "$err" || head -n 8 "$err")$'\n'
        tell "$exercise" "$(general_hint "$verdict")" >"$VERDICT_FILE"
    fi
    judge_clean
}

setup() {
    [ ! -s "$VERDICT_FILE" ] || skip "a verdict was found before"
    judge_stage
    echo $((${JUDGE_SEED:-1} * 7919 + BATS_TEST_NUMBER * 104729)) >"$stage/random"
    cp "$compiled/$exercise" "$stage/at/"
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
    local options=()
    while true; do
        case ${1:-} in
        --stdin) options+=(--in "$2"); shift 2 ;;
        --time | --feed) options+=("$1" "$2"); shift 2 ;;
        *) break ;;
        esac
    done
    ran="./$exercise $*"
    judge_run "${options[@]}" -- "./$exercise" "$@"
    if [ "$verdict" = pass ] && [ "$orphans_before" -gt 0 ]; then
        verdict="left behind"
        details+="$orphans_before of its processes lost their parent, which had not waited for them"$'\n'
    fi
}

# expect / expect_unordered: the expected block comes on stdin, in the grammar of the Output blocks.
expect() { expect_block ordered; }
expect_unordered() { expect_block unordered; }

expect_block() {
    local hint=''
    want=$stage/want
    cat >"$want"
    judge_compare - "$1" <"$want"
    [ "$verdict" = pass ] && return 0
    if [ "$verdict" = "wrong output" ] && [ -s "$out" ] &&
        "$tools/match" compare "$book/tests/exercises/$(dirname "$EXERCISE")/starter/$exercise.c" 1 "$out" "$err" "$end" >/dev/null 2>&1; then
        hint="it prints the example, whatever its arguments and input are"
    elif declare -F explain >/dev/null; then
        hint=$(explain)
    fi
    fail_with "$verdict" "$hint"
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

count_events() {
    grep -c "^$1 " "$events" || true
}

# expect_parallel N: all N children were there before the first was waited for.
expect_parallel() {
    local most
    most=$(most_children)
    [ "$most" -ge "$1" ] && return 0
    fail_with "not parallel" "only $most of $1 children were there at once: start them all before you wait for the first"
}
