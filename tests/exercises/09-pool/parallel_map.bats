# parallel_map.bats - the checks of the exercise parallel_map.
# shellcheck disable=SC2154,SC2034  # variables of exercise.bash, and those that explain() sees
load ../../lib/exercise
load workers

# answer C FILE: what must be printed.
answer() {
    awk -v c="$1" '{ for (i = 1; i <= NF; i++) {
              if (count % c == 0) printf "%schunk %d:", count ? "\n" : "", count / c + 1
              printf " %s", square($i)
              count++ } }
        function square(x,  high, low, middle) {        # exactly, also beyond 2^53: in two halves
            if (x < 0) x = -x
            high = int(x / 100000); low = x % 100000
            middle = 2 * high * low
            high = high * high + int(middle / 100000)
            low = low * low + (middle % 100000) * 100000
            high += int(low / 10000000000); low = low % 10000000000
            return high > 0 ? sprintf("%.0f%010.0f", high, low) : sprintf("%.0f", low)
        }
        END { if (count) print "" }' "$2"
}

say_each="fork one worker after the other, W in all, and once: a worker stays, and takes the next chunk when it has done one"
say_exit="a worker went on in main's code: end each worker with _exit"
say_mixed="when two workers write to the same pipe, pieces of two answers may mix (not each time): an answer must be one write, of one struct for example (or each worker has its own pipe)"

# What the lines that were printed have in common with the right ones.
explain_lines() {
    local wanted got
    wanted=$(grep -c . "$want") got=$(grep -c '^chunk ' "$out")
    if went_on; then
        echo "$say_exit"
    elif [ -n "$(sort "$out" | uniq -d)" ]; then
        echo "a line was printed twice: print in main only, or with say(), since fork copies printf's buffer; and end each worker with _exit"
    elif cmp -s "$out" "$want"; then
        if [ "$verdict" = "wrong exit status" ]; then echo "the lines are right, and then the exit code is 0"
        else echo "the lines are right; but see what the program says on stderr"; fi
    elif cmp -s <(sort "$out") <(sort "$want"); then
        echo "all lines are right, but not in the order of the input: a slow chunk comes late. Keep the squares until their turn comes"
    elif cmp -s "$out" <(head -n "$got" "$want") && [ "$got" -eq $((wanted - 1)) ] && [ $((numbers % c)) -ne 0 ]; then
        echo "the last chunk is missing: $numbers numbers make $wanted chunks of $c, the last one with only $((numbers % c)); count / C drops it"
    elif [ "$got" -eq 0 ] && writes_twice; then
        echo "$say_mixed"
    elif [ "$got" -eq 0 ]; then
        echo "no line was printed: see what the program said on stderr"
    elif [ "$got" -lt "$wanted" ]; then
        echo "only $got of $wanted lines were printed: was the answer of the last chunks taken?"
    elif [ "$got" -gt "$wanted" ]; then
        echo "there are more lines than chunks"
    else
        local mixed=''
        if grep -q '^failed .* schedules' <<<"$details" || writes_twice; then mixed=$say_mixed; fi
        awk -v mixed="$mixed" -v c="$c" -v wrong_chunk="squares stand in the wrong chunk: the first answer that comes need not be that of chunk 1. Send the place of the chunk with it, or know who had which" '
            function body(line) { sub(/^chunk [0-9]+: /, "", line); return line }
            NR == FNR { chunks = FNR; want[$2 + 0] = $0; bodies[body($0)] = 1; for (i = 3; i <= NF; i++) all[$i] = 1; next }
            $1 == "chunk" {
                if (!(body($0) in bodies)) others = 1
                n = split(want[$2 + 0], w); if (n != NF) lengths = 1
                for (i = 3; i <= NF; i++) {
                    if (!($i in all)) strange = 1
                    if ($i != w[i] && w[i] > 2147483647 && $i <= 2147483647) cut = 1
                    if ($i != 0) some = 1
                    if ($i == 0 && w[i] != 0) { zero = 1; if ($2 + 0 < chunks) earlier = 1 }
                }
                if (NF > n) last = 1
            }
            END {
                if (!others) print wrong_chunk
                else if (mixed != "") print mixed
                else if (cut && !zero) print "a square does not fit in an int: use long long, also for what is sent"
                else if (zero && some && !earlier) print "the last chunk was not done: there are (count + C - 1) / C chunks, the last one perhaps with fewer numbers"
                else if (zero && some) print wrong_chunk
                else if (zero && lengths == 0) print "squares are 0: a worker has its own copy of every variable; what it writes there, main never sees: send it, or use share()"
                else if (last) print "a line is too long: the last chunk may have fewer than C numbers"
                else if (!strange) print wrong_chunk
                else print "squares are wrong: which numbers has chunk i? From i * C on, C of them, in the last chunk perhaps fewer"
            }' "$want" "$out"
    fi
}

explain_hang() {
    local ends
    ends=$(whose_end)
    if went_on; then
        echo "$say_exit"
    elif [ "$kind" = many ] && grep -q "^the first process.* waits in write" <<<"$details"; then
        if [ "$(count_events fork)" -eq 0 ]; then
            echo "main writes all chunks before it starts the workers, but a pipe holds only so many bytes: start the workers first"
        else
            echo "a deadlock of two full pipes: main writes and reads nothing, the workers write their answers and read nothing. Give each worker one chunk, then the next one for each answer"
        fi
    elif waits_for_others; then
        if [ "$(forked)" -lt "$w" ]; then
            echo "a slow number waits for others, but only $(forked) of $w workers were started: start all of them, then give out the chunks"
        else
            echo "a chunk was not done, since its worker has a slow one or everybody waits for that: give the next chunk to whichever worker is free, and decide that only when one is free (no rounds, no plan, no turns)"
        fi
    elif [ -n "$ends" ]; then
        echo "$ends"
    fi
}

explain_deadlock() { explain_hang; }
explain_race() { echo "two workers look at the same memory at the same time, and may take the same chunk: looking which one is next and taking it must be ONE step (a read of a pipe that main fills, an atomic_fetch_add, or a lock around both), or main says who takes which. An ordinary variable is another one in each worker"; }

explain() {
    case $verdict in
    hang | deadlock) explain_hang ;;
    "left behind")
        if went_on; then echo "$say_exit"
        elif only_memory; then :
        else echo "each worker must be waited for: call waitpid once for each, when the pipes are closed"; fi ;;
    "over the limit") echo "processes without end: end each worker with _exit, and fork only W times" ;;
    "wrong exit status" | "wrong output")
        if [ "$(count_events fork)" -eq 0 ] && [ "$numbers" -gt 0 ]; then echo "no worker was started"; else explain_lines; fi ;;
    crash)
        if [ "$end" != "killed by SIGPIPE" ]; then ! writes_twice || echo "$say_mixed"
        else echo "main wrote to a worker that had ended already: which chunk, and why had it ended?"; fi ;;
    esac
    return 0
}

# judge_map W C FILE: how many processes there were is looked at, too.
judge_map() {
    w=$1 c=$2
    numbers=$(wc -w <"$3")
    run_answer --stdin "$3" "$w" "$c"
    # more forks than workers: whatever was printed, that is the mistake
    if ! others_forked && [ "$(forked)" -gt "$w" ]; then
        fail_with "wrong call" "$(forked) processes were forked for $w workers: $say_each"
    fi
    answer "$c" "$3" | expect
    expect_no_kill
    if others_forked; then fail_with "wrong call" "a worker has forked: main forks all the workers"; fi
}

draw() { local i; for ((i = 0; i < $1; i++)); do random "$2" "$3"; done; }

@test "chunks, the last one with fewer numbers" {
    kind=plain
    size=$(random 3 5) many=$(random 3 4)
    draw $((size * (many + 2) + $(random 1 $((size - 1))))) 100000 2000000000 >in.txt
    judge_map "$many" "$size" in.txt
    expect_parallel "$many"
}

@test "slow chunks" {
    # the first one waits for all the others
    kind=slow
    size=$(random 2 4)
    { draw $((size - 1)) 1 99; echo -$((size * 3 + 1)); draw $((size * 3 + 1)) 100 999; } >in.txt
    judge_map 2 "$size" in.txt
    # two wait; the third worker does the rest
    { echo -3; draw 2 1 99; echo -4; draw 5 1 99; } >in.txt
    judge_map 3 1 in.txt
}

@test "fewer chunks than workers, none" {
    kind=few
    draw "$(random 3 5)" 0 99 >in.txt
    judge_map "$(random 4 8)" 2 in.txt
    : >in.txt
    judge_map "$(random 2 4)" "$(random 1 9)" in.txt
}

@test "thousands of chunks" {
    kind=many
    awk -v n="$(random 3000 3500)" -v state="$(random 1 100000)" 'BEGIN {
        for (i = 1; i <= n; i++) { state = (state * 69069 + 1) % 1048576; print state } }' >in.txt
    pipes=small JUDGE_PLAIN=1 judge_map "$(random 2 4)" 1 in.txt
}
