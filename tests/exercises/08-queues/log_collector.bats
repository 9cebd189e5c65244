# log_collector.bats - the checks of the exercise log_collector.
# shellcheck disable=SC2154,SC2034  # variables of exercise.bash, and those that explain() sees
load ../../lib/exercise
load queues

# answer COUNT...: what must be printed.
answer() {
    local count number=0 all=0
    for count in "$@"; do
        number=$((number + 1)) all=$((all + count))
        echo "writer $number: $count lines, whole and in order"
    done
    echo "the log has $all lines"
}

say_writes="lines of two writers are mixed: a line must go into the pipe with one write(), the '\\n' too. Two writes for one line leave room for another writer between them"
say_stdio="lines of two writers are mixed: stdio (fprintf, fputs ...) collects lines in a buffer, and writes when it is full, in the middle of a line; make the line first (snprintf), then one write() for it; or call fflush after each line"
say_reader="a line of the log is not whole, or has no number of its own: one read() may bring several lines at once, and a part of one at its end. Keep that part until the rest has come, and number every line, not every read"
say_tail="the last lines are missing"
say_drain="the pipe is full, and the writers wait in write(), but nobody reads: main waits for their end first. Start the collector before you wait; or main collects first, until the end of file, and waits then"
say_ends="the collector waits for the end of the pipe, and it never comes: every process that has the write end could still write"

# What is wrong with the first bad line of the log? (The file is of the last run, which was a bad one.)
bad_line() {
    [ -f "$at/log.txt" ] || return 0
    awk 'gsub(/writer [0-9]+ line /, "&") != 1 || $1 !~ /^[0-9]+$/ || $2 != "writer" {
             if (gsub(/writer [0-9]/, "&") > 1 && $1 !~ /^writer/) print "mixed"
             else if ($2 ~ /.writer$/) print "joined"           # a piece of a line, and a whole one behind it
             else print "cut"
             exit }' "$at/log.txt"
}

uses_stdio() { code_only | sed -n '/^static void tell_log/,/^}/d; p' | grep -qE 'fdopen|fprintf|fputs|fwrite|fputc|putc|fopen|[^a-z]printf'; }

# stdio on the pipe: in the writer; on the log: in the collector
explain_lines() {
    local got wanted killed
    got=$(sed -nE 's/^the log has ([0-9]+) lines.*/\1/p' "$out") wanted=$(sed -nE 's/^the log has ([0-9]+) lines.*/\1/p' "$want")
    killed=$(count_events kill)
    if [ -z "$got" ]; then
        echo "the lines of tell_log() are missing: main calls it when the log is complete; its stderr may say more"
    elif grep -q 'is not whole' "$out"; then
        case $(bad_line) in
        mixed) if uses_stdio; then echo "$say_stdio"; else echo "$say_writes"; fi ;;
        joined) if uses_stdio; then echo "$say_stdio"; else echo "$say_reader"; fi ;;
        cut) echo "$say_reader" ;;
        *) echo "a line of the log is not what make_text() has made, with the number and a blank in front and '\\n' behind" ;;
        esac
    elif grep -q 'has the number' "$out"; then
        echo "the numbers in the log are not 1, 2, 3 ...: the number is that of the line in the log, so the one who writes the log must give it, when the line is written; a number that a writer takes is old when its line comes"
    elif grep -q 'comes after its line' "$out"; then
        echo "the lines of one writer are out of order, or one between them is lost: who takes lines out of the pipe must also be the one who writes them, one after the other"
    elif [ "$got" -lt "$wanted" ]; then
        if [ "$killed" -gt 0 ]; then
            echo "$say_tail: a signal told the collector to end while there were lines in the pipe. When the writers have ended, their lines may still be in it: read until the end of file"
        elif [ "$got" = 0 ]; then
            echo "the log is empty: who writes the lines of the pipe into it? What is still in a buffer when the collector ends is lost, be it a buffer of its own, or that of stdio at _exit"
        elif uses_stdio; then
            echo "$say_tail: they were in a buffer of stdio, and _exit throws it away; close the FILE (fclose) or call fflush before it, or use write()"
        else
            echo "$say_tail: the collector ended too early. It must read until read() returns 0, the end of file, when ALL writers have ended; also what is in a buffer of its own must be written then"
        fi
    elif [ "$got" -gt "$wanted" ]; then
        echo "there are too many lines: each writer logs its COUNT of lines, once"
    elif cmp -s <(sort "$out") <(sort "$want"); then
        echo "the lines of tell_log() are right, but in another order: leave it as it is"
    else
        echo "a writer logged as many lines as another one should: writer i logs count[i] lines, and its number is i + 1"
    fi
}

explain_hang() {
    local held
    held=$(grep "; its write end is held by" <<<"$details")
    if others_forked; then echo "$say_runs_on"
    elif grep -q "^the first process.* waits in wait" <<<"$details" && grep -q "^pid .* waits in write" <<<"$details"; then
        echo "$say_drain"
    elif grep -q "^the first process .* waits in write" <<<"$details"; then
        echo "main waits in write(): start the children first, each of them writes its own lines"
    elif grep -qE "^pid ([0-9]+) .*held by.* pid \1 as" <<<"$held"; then
        echo "$say_ends. The collector has it itself: close it there, first of all"
    elif grep -q "^the first process .*held by.* the first process" <<<"$held"; then
        echo "$say_ends. main is the collector, and has it itself: close it in main, after the forks"
    elif grep -q "^pid .*held by the first process" <<<"$held"; then
        echo "$say_ends. main has it: close it after the forks, before you wait for the collector"
    elif [ -n "$held" ]; then
        echo "$say_ends. See below who has it"
    fi
}

explain_deadlock() { explain_hang; }

explain_race() {
    echo "memory that the processes share is changed by two of them at once; the lines can go through a pipe, then nothing need be shared"
}

explain() {
    case $verdict in
    hang) explain_hang ;;
    "left behind" | "over the limit")
        if others_forked; then echo "$say_runs_on"
        else echo "main must wait for every child, the collector too: one waitpid for each"; fi ;;
    "wrong exit status" | crash)
        if wrote_to_nobody; then
            echo "the collector was gone, and a writer wrote to a pipe that nobody reads: the collector reads until the end of file"
        elif [ "$(count_events kill)" -gt 0 ]; then
            echo "a child was ended by a signal: the collector must end by itself, when it has read the last line, at the end of file"
        fi ;;
    "wrong output")
        if [ "$(count_events fork)" -eq 0 ]; then echo "no child was started: each writer is a process of its own"
        elif others_forked; then echo "$say_runs_on"
        elif wrote_to_nobody; then echo "the collector was gone, and a writer wrote to a pipe that nobody reads: the collector reads until the end of file"
        else explain_lines
        fi ;;
    esac
    return 0
}

# collect LENGTH COUNT...: also looks at the file itself.
collect() {
    local length=$1
    shift
    run_answer log.txt "$length" "$@"
    answer "$@" | expect
    awk -v counts="$*" -v length_="$length" '
        { if ($1 != NR || $2 != "writer" || $4 != "line" || $5 != ++last[$3] || length($0) <= length_ / 2) bad = 1 }
        END { n = split(counts, count); for (i = 1; i <= n; i++) if (last[i] + 0 != count[i]) bad = 1; exit bad }' "$stage/at/log.txt" ||
        fail_with "wrong output" "the log is not what tell_log() says: leave that function, and make_text(), as they are"
    expect_parallel $#
}

@test "a few lines" {
    collect "$(random 50 60)" "$(random 3 4)" "$(random 2 3)" 0 "$(random 3 5)"
    collect 40 0 0
    collect 40 1
}

@test "long lines, and more than a pipe can hold" {
    fill=1 JUDGE_PLAIN=1 collect "$(random 200 220)" "$(random 500 600)" "$(random 500 600)" "$(random 500 600)"
    gather=4 JUDGE_PLAIN=1 collect "$(random 200 220)" "$(random 500 600)" "$(random 500 600)" "$(random 1 9)" "$(random 500 600)"
    collect "$(random 980 1000)" "$(random 5 6)" "$(random 6 7)" "$(random 5 6)"
}

@test "sixteen writers" {
    # shellcheck disable=SC2046
    gather=16 JUDGE_PLAIN=1 collect 60 $(for _ in {1..16}; do random 10 99; done)
}
