# shellcheck shell=bash disable=SC2154,SC2034  # variables of exercise.bash
# signals.bash - for the checks of this chapter: load it after ../../lib/exercise.
#   run_at_moment MOMENT [OPTION OF run_answer]... ARGUMENT...   with moments.c: see there
#   run_fed MOMENT SCRIPT ARGUMENT...    the same, with standard input from feeder.c
#   look_at_handlers [RUNNER OPTION VALUE]... [--] ARGUMENT...   with handlers.c: fails the check when a handler does what it must not
# All three are for the plain run only.

tools04=$BATS_TEST_DIRNAME/tools

eval "quiet_$(declare -f judge_run)"
judge_run() {
    if [ -n "${moment:-}" ]; then
        set -- --env LD_PRELOAD=./moments.so --env "ANSWER_MOMENT=$moment" "$@"
    fi
    if [ -z "${script:-}" ]; then
        quiet_judge_run "$@"
        return
    fi
    local feeder result=0
    rm -f "$stage/fifo" "$script.given_up"
    mkfifo "$stage/fifo"
    timeout 30 "$BATS_FILE_TMPDIR/feeder" "$stage/fifo" "$out" "$script" 3>&- 2>/dev/null &
    feeder=$!
    quiet_judge_run --in "$stage/fifo" "$@" || result=$?
    kill $feeder 2>/dev/null || true
    wait $feeder || true
    return $result
}

run_at_moment() {
    local moment=$1
    shift
    [ -f "$BATS_FILE_TMPDIR/moments.so" ] ||
        "${CC:-gcc}" -shared -fPIC -O1 -o "$BATS_FILE_TMPDIR/moments.so" "$tools04/moments.c" -ldl
    cp "$BATS_FILE_TMPDIR/moments.so" "$stage/at/"
    rm -f "$stage/at/alone" "$stage/at/asked"
    run_answer "$@"
}

run_fed() {
    local moment=$1 script=$2
    shift 2
    [ -x "$BATS_FILE_TMPDIR/feeder" ] || "${CC:-gcc}" -O1 -o "$BATS_FILE_TMPDIR/feeder" "$tools04/feeder.c"
    run_at_moment "$moment" "$@"
}

# It asked again and again, instead of waiting.
asked_again_and_again() { [ -f "$stage/at/asked" ]; }
# It waited for the end of one child before it told the next one.
waited_for_one() { [ -f "$stage/at/alone" ]; }

# The functions that handlers.c stands in front of.
wrapped="sigaction signal kill malloc calloc realloc free puts putchar fputs fflush strerror printf fprintf dprintf snprintf sprintf perror exit say"

# shellcheck disable=SC2016  # expanded by the shell in the cage
compile_watched='
for flag in "--param tsan-distinguish-volatile=1" "-mllvm -tsan-distinguish-volatile=1"; do
    "$CC" -std=c11 -g -O0 -w -no-pie -fno-pie -fsanitize=thread $flag -fno-builtin -I . -c $NAME.c -o watched.o 2>/dev/null && break
done && "$CC" -no-pie -pthread watched.o handlers.o parts.a $WRAP -o watched'

look_at_handlers() {
    local what name line word chapter wraps='' file options
    options=()
    while [[ $1 == --?* ]]; do options+=("$1" "$2"); shift 2; done
    [ "$1" != -- ] || shift
    chapter=$book/chapters/$(dirname "$EXERCISE")
    cp "$ANSWER" "$stage/at/$exercise.c"
    cp "$book"/common/*.h "$chapter/build/parts.a" "$stage/at/"
    "${CC:-gcc}" -std=c11 -O1 -w -fno-builtin -c "$tools04/handlers.c" -o "$stage/at/handlers.o" || return 0
    for word in $wrapped; do wraps+=" -Wl,--wrap=$word"; done
    judge_run --time 20000 --env "CC=${CC:-gcc}" --env "NAME=$exercise" --env "WRAP=$wraps" -- sh -c "$compile_watched"
    # where the compiler cannot tell volatile variables from others, this look is left out
    if [ "$end" != "exit 0" ]; then echo "left out: watched: $(head -n 1 "$err")" >>"$VERDICT_FILE.notes"; return 0; fi
    cp "$stage/at/watched" "$compiled/watched"
    arguments=("$@") ran="./$exercise $*" staged=
    run_build watched --time 3000 "${options[@]}"
    [ -s "$stage/at/handlers" ] || return 0
    read -r what name line < <(awk '$1 == "call" { first = first ? first : $0; next } { other = other ? other : $0 }
        END { print first ? first : other }' "$stage/at/handlers")
    if [ "$what" != call ]; then
        name=$(nm "$compiled/watched" | awk -v wanted="$name" '{ a = $1; sub(/^0+/, "", a) } a <= wanted && length(a) == length(wanted) && a > best { best = a; found = $3 }
            END { sub(/\..*/, "", found); print found }')
    fi
    file=$(addr2line -e "$compiled/watched" "$line" 2>/dev/null)
    line=${file##*:} line=${line%% *}
    details="seen at $exercise.c:$line"$'\n'
    case $what in
    call) fail_with "wrong call" "$name is called in a signal handler: the signal may have come in the middle of printf, malloc or $name itself; a handler sets a flag, or calls write (signal-safety(7) has the list)" ;;
    plain) fail_with "race" "a signal handler and the rest of the program both use $name: it must be volatile sig_atomic_t (or an atomic)" ;;
    busy) fail_with "wrong call" "main asks for $name again and again, and so uses a whole core: block the signal and wait with sigsuspend (or poll, sigwaitinfo ...)" ;;
    esac
}
