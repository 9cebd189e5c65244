# parallel_sum.bats - the checks of the exercise parallel_sum.
# shellcheck disable=SC2154,SC2034  # variables of exercise.bash, and those that explain() sees
load ../../lib/exercise
load ../order

# numbers COUNT LOW HIGH: COUNT numbers, with white space of all kinds between.
numbers() {
    awk -v count="$1" -v low="$2" -v high="$3" -v state="$(random 1 1000000)" '
        function next_one(n) { state = (state * 69069 + 1) % 1048576; return int(state / 1048576 * n) }
        BEGIN { for (i = 1; i <= count; i++)
                    printf "%s%.0f", i == 1 ? "" : substr("    \n\n\t", next_one(7) + 1, 1),
                           low + (next_one(1048576) * 1048576 + next_one(1048576)) % (high - low + 1)
                if (count > 0) print "" }'
}

# answer N FILE: what must be printed.
answer() {
    awk -v n="$1" '{ for (i = 1; i <= NF; i++) number[count++] = $i }
        END { for (c = 0; c < n; c++) {
                  sum = 0
                  for (k = int(count / n) + (c < count % n); k > 0; k--) sum += number[at++]
                  printf "child %d: sum %.0f\n", c + 1, sum
                  total += sum
              }
              printf "total %.0f\n", total }' "$2"
}

# Looks at what the sums that were printed have in common with the right ones.
explain_sums() {
    awk -v n="$n" -v feed="${feed:-0}" '
        function mod(value, m) { return value - m * int(value / m) + (value < 0 && value != m * int(value / m) ? m : 0) }
        FILENAME == ARGV[1] { for (i = 1; i <= NF; i++) { number[count++] = $i; all += $i }; next }
        FILENAME == ARGV[2] { if ($1 == "child") right[$2 + 0] = $4; next }
        $1 == "child" && $3 == "sum" { got[$2 + 0] = $4; if (totals || $2 + 0 != lines + 1) disorder = 1; lines++ }
        $1 == "total" { total = $2; totals++ }
        END {
            zero = low8 = low32 = slices = 1; sum = 0; text = expected = ""
            for (c = 1; c <= n; c++) {
                if (got[c] != 0) zero = 0
                if (right[c] != 0) something = 1
                if (got[c] < 0 || got[c] > 255 || mod(right[c], 256) != got[c] + 0) low8 = 0
                if (right[c] < 0 || right[c] > 255) large = 1
                if (mod(right[c] - got[c], 4294967296) != 0) low32 = 0
                if (right[c] != got[c]) slices = 0
                sum += got[c]; uses[right[c]]++; uses[got[c]]--
            }
            same = 1
            for (value in uses) if (uses[value] != 0) same = 0
            for (i = 0; i < count; i++) { prefix += number[i]; if (prefix == total && !found) found = i + 1 }
            if (lines == 0 && totals == 0)
                print "nothing was summed: see what the program said on stderr" (feed ? "; a number may be cut in two between one read and the next" : "")
            else if (lines == 0 && total == all)
                print "the lines of the children are missing: main prints them; what printf prints in a child stays in a buffer, and _exit throws it away"
            else if (lines != n) print "there must be one line a child, " n " in all"
            else if (zero && something)
                print "all sums are 0: a child has its own copy of every variable, also of a global; what it writes there, main never sees; use a pipe or shared memory"
            else if (low8 && large)
                print "the sums are cut to 8 bits: an exit status holds only 0 to 255, it cannot carry a sum; use a pipe or shared memory"
            else if (slices && disorder)
                print "the lines must come in the order of the children, the total last: main prints them all, when it has the sums"
            else if (slices && total == all) print "the sums are right, but another line is wrong: print only what the task says"
            else if (slices) print mod(all - total, 4294967296) == 0 ? "the total does not fit in an int: use long long" : \
                "the sums are right, but the total is not their sum"
            else if (low32) print "a sum does not fit in an int: use long long, also for what is sent"
            else if (same) print "the sums are right, but each stands beside the wrong child: the child that is first to send need not be child 1; know whose sum it is"
            else if (total == all && sum == all)
                print "the total is right, but the slices are not: all have the same size, and when it does not divide, the first slices get one number more"
            else if (found == count - count % n && count % n > 0)
                print "the last " count % n " of " count " numbers are in no slice: the remainder of count / N was dropped"
            else if (feed)
                print "numbers are missing, or a number was cut in two, when they come in pieces: one read() gives only what is there now (a short read); read until it returns 0, then parse"
            else if (found && found < count || count >= 10000)
                print (found ? "only the first " found " of " count " numbers were summed" : "numbers are missing, or cut in two between one read and the next, when there are many") \
                    ": read until read() returns 0, into memory that grows, and parse them only then"
            else
                print "a slice has wrong borders: each begins where the one before it ends, and together they hold every number once"
        }' "$input" "$want" "$out"
}

explain() {
    local forks
    forks=$(count_events fork)
    case $verdict in
    hang)
        if [ "$forks" -gt "$n" ]; then
            echo "more than $n processes were forked: a child ran on into its parent's code; end each child with _exit"
        elif [[ $details == *"waits in read"* ]]; then
            echo "end of file comes only when every write end of the pipe is closed: main must close its own write end after fork"
        fi ;;
    "left behind")
        if [ "$forks" -gt "$n" ]; then
            echo "more than $n processes were forked: a child ran on into its parent's code; end each child with _exit"
        else
            echo "each child must be waited for: call waitpid once for every child, $n times in all"
        fi ;;
    "over the limit" | "wrong output" | "wrong exit status" | crash)
        if [ "$forks" -gt "$n" ]; then
            echo "more than $n processes were forked: a child ran on into its parent's code; end each child with _exit"
        elif [ "$verdict" = crash ]; then
            return
        elif [ "$forks" -eq 0 ]; then
            echo "no child was started"
        elif [ -n "$(sort "$out" | uniq -d)" ]; then
            echo "a line came twice: what printf prints stays in a buffer, and fork copies the buffer; print with say(), or call fflush before fork"
        elif [ "$verdict" = "wrong output" ]; then
            explain_sums
        fi ;;
    esac
    return 0
}

# judge_sums N FILE [OPTION OF run_answer]...
judge_sums() {
    n=$1 input=$2
    shift 2
    run_answer "$@" --stdin "$input" "$n"
    answer "$n" "$input" | expect
    [ "$(count_events fork)" -ge "$n" ] || fail_with "not parallel" "only $(count_events fork) children were started, not $n"
}

@test "some numbers, which do not divide evenly" {
    children=$(random 3 5)
    numbers $((children * $(random 5 9) + $(random 1 $((children - 1))))) 100 999 >in.txt
    judge_sums "$children" in.txt
    expect_parallel "$children"
}

@test "large and negative numbers, few numbers, none" {
    numbers "$(random 11 15)" -2000000000 -1000000000 >in.txt
    judge_sums 2 in.txt
    numbers 3 -50 -10 >in.txt
    judge_sums "$(random 4 16)" in.txt
    : >in.txt
    judge_sums "$(random 2 5)" in.txt
}

@test "a hundred thousand numbers" {
    numbers 100000 1 2000000 >in.txt
    judge_sums 16 in.txt
}

@test "numbers that come in small pieces" {
    children=$(random 2 4) feed=$(random 11 60)
    numbers $((children * $(random 30 40))) 1000 99999 >in.txt
    judge_sums "$children" in.txt --feed "$feed"
}

@test "the last child is the first to be ready" {
    n=$(random 4 6) input=in.txt
    numbers $((n * $(random 5 9))) 1000 99999 >in.txt
    run_in_order "last:$n" --stdin in.txt "$n"
    answer "$n" in.txt | expect
    ! waited_in_the_loop ||
        fail_with "not parallel" "main waits for what one child sends before it starts the next one: start them all first, then take the sums"
}
