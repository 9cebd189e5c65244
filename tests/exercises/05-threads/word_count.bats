# word_count.bats - the checks of the exercise word_count.
# shellcheck disable=SC2154,SC2034  # variables of exercise.bash, and those that explain() sees
load ../../lib/exercise
load threads

# text WORDS LONGEST: so many words, with white space of all kinds between; some are not ASCII.
text() {
    LC_ALL=C awk -v count="$1" -v longest="$2" -v state="$(random 1 1000000)" '
        function next_one(n) { state = (state * 69069 + 1) % 1048576; return int(state / 1048576 * n) }
        BEGIN { for (i = 1; i <= count; i++) {
                    word = ""
                    for (k = 1 + next_one(longest); k > 0; k--) word = word substr("abcdefghijklmnopqrstuvwxyz,.\303-", next_one(30) + 1, 1)
                    if (next_one(9) == 0) word = word "\303\240"
                    printf "%s", word substr("                        \n\t\n\t\t", 1 + 4 * next_one(7), i < count ? 1 + (next_one(5) == 0) * next_one(4) : 0)
                } }'
}

# The first and last byte of each word, counted from 0.
places() {
    LC_ALL=C awk '{ in_word = 0; n = length($0)
        for (i = 1; i <= n + 1; i++) {
            white = i > n || substr($0, i, 1) ~ /[ \t\r]/
            if (!white && !in_word) begin = at + i - 1
            if (white && in_word) print begin, at + i - 2
            in_word = !white
        }
        at += n + 1 }' "$1"
}

# What must be printed: the words by the slice in which they begin. Where the answer has another rule for the word at a
# border, or borders a few bytes away, its own counts are taken.
answer() {
    places "$file" | awk -v t="$t" -v size="$(wc -c <"$file")" '
        FILENAME == "-" { begin[n] = $1; end[n++] = $2; if ($2 - $1 >= longest) longest = $2 - $1 + 1; next }
        $1 == "thread" && $2 == FNR && $3 == "counted" && $4 ~ /^[0-9]+$/ && NF == 4 { got[$2] = $4; lines++ }
        END {
            slack = t + longest + 1; ok = lines == t
            for (k = 1; k <= t; k++) {
                border = int(size * k / t); low = high = right = 0
                for (i = 0; i < n; i++) {
                    if (begin[i] < border) right++
                    if (end[i] < border - slack) low++
                    if (begin[i] <= border + slack) high++
                }
                exact[k] = right - before; before = right
                sum += got[k]
                if (k < t && (sum < low || sum > high) || k == t && sum != n) ok = 0
            }
            for (k = 1; k <= t; k++) print "thread " k " counted " (ok ? got[k] : exact[k])
            print "total " n + 0
        }' - "$out"
}

explain_counts() {
    { places "$file"; echo want; cat "$want"; echo got; cat "$out"; } |
        awk -v t="$t" -v size="$(wc -c <"$file")" -v white="$(LC_ALL=C tr -cd ' \t\n\r' <"$file" | wc -c)" \
            -v blanks="$(LC_ALL=C awk '{ n += split($0, part, / +/); if ($0 ~ /^ /) n--; if ($0 ~ / $/) n-- } END { print n }' "$file")" '
        $1 == "want" || $1 == "got" { part = $1; next }
        part == "" { begin[n] = $1; end[n++] = $2; next }
        part == "want" { if ($1 == "thread") right[$2] = $4; next }
        $1 == "thread" && $3 == "counted" { if ($2 != lines + 1) disorder = 1; lines++; got[$2] = $4; sum += $4 }
        $1 == "total" { total = $2; totals++ }
        END {
            same = 1
            for (k = 1; k <= t; k++) {
                if (got[k] != got[1]) same = 0
                border = int(size * k / t)
                for (i = 0; i < n && k < t; i++) if (begin[i] < border && end[i] >= border) { cut++; break }
                multi[right[k]]++; multi[got[k]]--
                for (i = whole = 0; i < n; i++) if (begin[i] >= int(size / t) * (k - 1) && begin[i] < int(size / t) * k) whole++
                if (whole != got[k]) other = 1
            }
            permuted = 1
            for (value in multi) if (multi[value] != 0) permuted = 0
            tail = int(size / t) * t
            for (i = 0; i < n; i++) if (begin[i] >= tail) dropped++
            if (lines == 0 && totals == 0) print "nothing was printed: see what the program said on stderr"
            else if (lines != t || totals != 1) print "there must be one line a thread, " t " in all, and then one line with the total"
            else if (disorder) print "the lines must come in the order of the threads: main prints them all, after the joins"
            else if (sum != total) print sum == n ? "the counts are right, but the total is not their sum: main adds them, after the joins" : "the total is not the sum of the counts: is it added by the threads, or before they have ended?"
            else if (sum == 0 && n > t) print "all counts are 0: how does a thread give its count back, and does main read it only after pthread_join?"
            else if (permuted && total == n) print "each count stands beside the wrong thread: did thread " 1 " get the first slice? every thread needs an argument of its own, not &i"
            else if (t > 1 && same && n > t && total != n) print "all threads counted the same slice: each one needs an argument of its own, not the address of a variable that goes on (&i)"
            else if (sum == n) print "the total is right, but the slices are not: all have the same size in bytes, " int(size / t) " or a few more; each thread counts in its own"
            else if (cut > 0 && sum > n && sum - n <= cut) print "a word at a border was counted twice: in the slice after the border it only goes on; count it where it begins"
            else if (t == 1 && sum == n - 1) print "the last word was not counted: it ends with the file, no white space need come after it"
            else if (t > 1 && sum < n && n - sum < t && other) print "a word at a border was counted by nobody: count it where it begins"
            else if (dropped && n - sum == dropped) print "the last " size - tail " bytes are in no slice: the remainder of size / T was dropped"
            else if (sum == white || sum == white + 1 || sum > n && white > n) print "white space was counted, not words: there may be several blanks between two words, and none behind the last one"
            else print "the counts are wrong: a word begins where a byte is not white space (isspace: blank, tab, newline ...) and the byte before it is, or is not there"
        }'
}

explain() {
    local made
    made=$(count_events thread)
    if [ "$made" -eq 0 ] && [ "$(count_events fork)" -gt 0 ]; then echo "children were started, not threads: use pthread_create"
    elif [ "$made" -eq 0 ]; then echo "no thread was started"
    elif [ "$verdict" = crash ] && [ -n "$(one_argument_for_all)" ]; then
        echo "each thread got the address of the same variable, which main changes while they read: give each thread an argument of its own"
    elif [ "$verdict" = crash ] && [[ $end == *SEGV* ]]; then
        echo "a pointer leads to memory that is gone: a local variable of a thread ends with the thread, so its address is no result; put the count into memory of main"
    elif [ "$verdict" = "wrong output" ]; then explain_counts
    fi
    return 0
}

explain_race() {
    local name
    name=$(one_argument_for_all)
    if [ -n "$name" ]; then
        echo "each thread got the address of the same variable ($name), and main changes it while they read: give each thread an argument of its own"
    elif main_took_part; then
        echo "main reads a result before the thread that makes it was joined: pthread_join first, then read"
    else
        echo "two threads write to the same variable at once, so what one of them adds may be lost: count in a variable of its own, and let main add the counts after the joins"
    fi
}

# judge_words T: counts the words of $file with T threads.
judge_words() {
    t=$1
    cp "$file" "$stage/at/text.txt"
    run_threads text.txt "$t"
    answer | cat >wanted
    if [ "$verdict" = pass ] && [ "$(count_events thread)" -gt 0 ]; then
        expect_threads "$t"
        expect_joined
    fi
    expect <wanted
    expect_threads "$t"
}

@test "some words, a few threads" {
    local threads
    file=in.txt threads=$(random 3 5)
    text "$(random 34 42)" 8 >in.txt
    while [ $((($(wc -c <in.txt) + 3) % threads)) != $((threads - 1)) ]; do printf x >>in.txt; done
    printf ' x\n' >>in.txt      # a word begins in the remainder of size / T
    judge_words "$threads"
}

@test "few words, one long word, white space only, nothing" {
    file=in.txt
    { printf ' \n\t '; text 4 6; printf '\n\n'; } >in.txt
    judge_words "$(random 5 9)"
    text 3 6 >in.txt            # no white space after the last word
    judge_words 1
    text 1 1 >in.txt
    printf 'abcdefghijklmnopqrstuvwxyz%.0s' 1 2 3 >>in.txt
    judge_words 4
    printf '  \n \t\n' >in.txt
    judge_words 3
    : >in.txt
    judge_words 2
    printf 'abc d\nef' >in.txt  # a byte a slice, and less
    JUDGE_PLAIN=1 judge_words 8
    JUDGE_PLAIN=1 judge_words "$(random 9 16)"
}

@test "a large file" {
    file=in.txt
    text "$(random 9000 9999)" 12 >in.txt
    JUDGE_PLAIN=1 judge_words "$(random 6 9)"
    JUDGE_PLAIN=1 judge_words 16
}
