# judge.bash - the one door: run this program and judge it. Sourced by judge, exercise.bash and chapter.bash.
# A run leaves its marks in a folder of its own, named by $stage, and in these variables:
#   $verdict   pass, or: wrong output, wrong exit status, crash, hang, left behind, over the limit,
#              wrong call, not parallel, does not compile
#   $orphans_before $orphans_after   processes that lost their parent before, and by, the first one's end
#   $struck $took   the pid that a --strike hit; how many ms the run took
#   $details   what goes with it, several lines
#   $end       how the first process ended: "exit 3" or "killed by SIGTERM"
#   $report    the file with all that the runner saw; $out $err $events: its output and what it did
#   $region    the witness's own file; $found: has it a verdict in it?

# shellcheck disable=SC2034  # the variables are for those who source this file
lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
book=$(cd "$lib/../.." && pwd)
tools=$lib/build

# judge_make FOLDER [ARGUMENT]...: make, and never two of them at once in the same folder.
judge_make() {
    local folder=$1
    shift
    if command -v flock >/dev/null; then
        flock "$folder/Makefile" make -s -C "$folder" "$@" >&2
    else
        make -s -C "$folder" "$@" >&2
    fi
}

# Builds the runner, the output checker and the witness where they are older than their source.
judge_tools() {
    judge_make "$lib" all || { echo "judge: the tools under tests/lib do not build" >&2; return 1; }
}

# A new empty folder for a run, removed by judge_clean.
judge_stage() {
    stage=$(mktemp -d "${TMPDIR:-/tmp}/workbook.XXXXXXXX") || return 1
    chmod 711 "$stage"              # the spare user passes through it
    mkdir "$stage/at"               # the program's working directory; the rest is ours
    out=$stage/out err=$stage/err report=$stage/report events=$stage/events region=$stage/region
}

judge_clean() {
    [ -n "${stage:-}" ] && rm -rf "$stage"
    stage=
}

# Are there pseudo-terminals here? (In a bare chroot there may be none.)
judge_has_terminals() {
    local found=1
    judge_stage || return 1
    if judge_run --pty 1 -- true 2>/dev/null; then found=0; fi
    judge_clean
    return $found
}

# judge_run [RUNNER OPTION VALUE]... -- COMMAND...   runs COMMAND in $stage/at and looks at how that went.
judge_run() {
    local options=()
    while [ "$1" != -- ]; do options+=("$1" "$2"); shift 2; done
    shift
    "$tools/runner" --region "$region" --report "$report" --out "$out" --err "$err" --dir "$stage/at" --hide "$book" \
        --env WORKBOOK_EVENTS=.events --env "WORKBOOK_TICK_MS=${WORKBOOK_TICK_MS:-1}" \
        "${options[@]}" -- "$@" </dev/null || { verdict="judge error" details="the runner ended with status $?"; return 1; }
    judge_read_report
}

# What the witness wrote down, as text in $events.
judge_events() {
    "$tools/draw" events "$region" >"$events"
}

# From the report to $verdict, $details and $end.
judge_read_report() {
    local key value
    verdict=pass details='' end='' orphans_before=0 orphans_after=0 struck='' took=0 found=
    while IFS= read -r line; do
        key=${line%%: *} value=${line#*: }
        case $key in
        end) end=$value ;;
        verdict) verdict=$value ;;
        why | wait | left) details+="$value"$'\n' ;;
        orphans) read -r orphans_before orphans_after <<<"$value" ;;
        struck) struck=$value ;;
        ms) took=$value ;;
        region) found=1 ;;
        esac
    done <"$report"
    # a signal that ends the first process is a crash, unless the expected block wants it (judge_compare)
    case $end in
    *SIGXFSZ) verdict="over the limit" ;;
    killed*) [ "$verdict" = pass ] && verdict=crash ;;
    esac
    # after an error that was told it is no surprise that children were not waited for: the error is the verdict
    if [ "$verdict" = pass ] && [ "$orphans_after" -gt 0 ] &&
        { [ "$end" = "exit 0" ] || [ ! -s "$err" ]; }; then
        verdict="left behind"
        details+="$orphans_after of its processes had not been waited for when the first process ended (a zombie, until then)"$'\n'
    fi
}

# judge_compare FILE INDEX | - KIND   compares what was printed with an expected block, unless the
# run itself has a verdict already. A crash that the block expects is no crash.
judge_compare() {
    local said
    case $verdict in pass | crash) ;; *) return 0 ;; esac
    if said=$("$tools/match" compare "$1" "$2" "$out" "$err" "$end"); then
        verdict=pass
    elif [ "$verdict" = crash ]; then
        details="the first process was $end"$'\n'
        [ "$end" != "killed by SIGPIPE" ] || details+="it wrote to a pipe or socket that nobody reads any more"$'\n'
        details+=$(tail -n +2 <<<"$said")$'\n'
    else
        verdict=${said%%$'\n'*}
        details+=${said#*$'\n'}$'\n'
        # what it wrote to stderr, mostly tells why
        if [ -s "$err" ] && [ "$verdict" = "wrong output" ]; then
            details+="its stderr: $(head -c 600 "$err" | head -n 5 | tr -cd '[:print:]\n')"$'\n'
        fi
    fi
}

# What the details say, or what a verdict means in general: for when a check knows nothing more exact.
general_hint() {
    local said
    said=$(hint_of_details)
    if [ -n "$said" ]; then echo "$said"; return; fi
    case $1 in
    "wrong output") echo "compare the first line that differs; then follow your program to where that line is printed" ;;
    "wrong exit status") echo "look at what main returns, and at each exit and _exit" ;;
    crash) echo "build with make VARIANT=asan and run it: the sanitizer names the line" ;;
    hang) echo "see below who waits for what: a read ends only when every write end is closed, a wait only when the child ends" ;;
    deadlock) echo "every task waits for another one: see below who holds what, and who waits for it" ;;
    "left behind") echo "every process must be waited for by its parent, and everything with a name must be removed, on every path" ;;
    "over the limit") echo "something has no end: a loop around fork, print or malloc" ;;
    "wrong call") echo "the call is not allowed at that point: see below" ;;
    "not parallel") echo "start all the children first; wait for them only then" ;;
    "does not compile") echo "start with the first error; later ones are often its consequences" ;;
    race) echo "two tasks use the same memory and nothing orders them: a lock, a wait or a message must stand between" ;;
    *) echo "see below" ;;
    esac
}

# Is an Output block of a program one of a WRONG version? Then its race is the lesson, and no verdict.
judge_is_wrong() {
    "$tools/match" show "$1" "$2" | grep -q 'WRONG:'
}

# judge_scheduled SEED PROGRAM OPTIONS... -- COMMAND...   a run under a schedule of its own. PROGRAM is the file that
# was built for it. A race, a deadlock or a wrong call that the scheduler saw is the verdict.
judge_scheduled() {
    local seed=$1 program=$2 said
    shift 2
    judge_run --env "WORKBOOK_SEED=$seed" "$@"
    if [ -n "$found" ]; then
        said=$("$tools/draw" verdict "$region" "$program")
        verdict=${said%%$'\n'*} verdict=${verdict#verdict: }
        details=$(sed -n 's/^why: //p' <<<"$said")$'\n'
    elif [ "$verdict" = hang ]; then
        details+=$("$tools/draw" last "$region" "$program")$'\n'
    fi
}

# What the program itself said on stderr may name the mistake better than we can.
hint_of_stderr() {
    if grep -qs 'Interrupted system call' "$err"; then
        echo "a signal interrupted a call (EINTR), and that was taken for an error: make the call again"
    elif grep -qs 'Broken pipe' "$err"; then
        echo "it wrote to a pipe or socket that nobody reads any more (EPIPE)"
    fi
}

# What the details say of a hang, a deadlock or a crash may be known by name.
hint_of_details() {
    case $verdict:$details in
    deadlock:*"when nobody was waiting"* | deadlock:*"nobody has signalled"* | deadlock:*"_cond_"*", and woke"*)
        echo "a wake-up is not kept for who waits later, and a signal wakes only one: wait only while what you wait for, looked at under the lock, is not there" ;;
    deadlock:*"come"*) echo "a barrier waits until as many have come as it was made for" ;;
    deadlock:*"nobody has posted it"*) echo "nobody posts the semaphore: with which value does it start, and who comes first?" ;;
    hang:*"waits in pause"* | hang:*"in sigsuspend"*) echo "a signal that came before the wait is gone: block it first, then wait with sigsuspend" ;;
    hang:*"is running"*)
        echo "a loop has no end: does a call in it return at once each time, as poll does when nobody writes any more (POLLHUP), or read with 0?" ;;
    crash:*SIGTERM* | crash:*SIGALRM* | crash:*SIGUSR* | crash:*SIGHUP* | crash:*SIGINT*)
        echo "a signal that was neither handled nor blocked ended it" ;;
    esac
}

# Prints a verdict as a student reads it: VERDICT: WHAT, a hint, the details.
tell() {
    local what=$1 hint=$2
    echo "$verdict: $what"
    [ -n "$hint" ] && echo "  hint: $hint"
    [ -n "$details" ] && printf '%s' "$details" | head -n 90 | sed 's/^/  | /'
    return 0
}
