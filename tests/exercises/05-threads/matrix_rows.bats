# matrix_rows.bats - the checks of the exercise matrix_rows.
# shellcheck disable=SC2154,SC2034  # variables of exercise.bash, and those that explain() sees
load ../../lib/exercise
load threads

# cells COUNT MOST: so many numbers from -MOST to MOST.
cells() {
    awk -v count="$1" -v most="$2" -v state="$(random 1 1000000)" '
        function next_one(n) { state = (state * 69069 + 1) % 1048576; return int(state / 1048576 * n) }
        BEGIN { for (i = 0; i < count; i++) printf "%s%d", i ? " " : "", next_one(2 * most + 1) - most }'
}

# What must be printed. Which thread has a row more is free: where the shares that were printed are fair, they are taken.
answer() {
    awk -v t="$t" -v n="$n" -v numbers="${matrix[*]}" '
        $1 == "thread" && $2 == FNR - n && $3 == "computed" && $4 ~ /^[0-9]+$/ && $5 " " $6 " " $7 == "of " n " rows" { got[$2] = $4; sum += $4; good++ }
        END {
            split(numbers, a, " ")
            for (r = 0; r < n; r++) {
                printf "row %d:", r + 1
                for (c = 0; c < n; c++) {
                    cell = 0
                    for (k = 0; k < n; k++) cell += a[r * n + k + 1] * a[k * n + c + 1]
                    printf " %.0f", cell
                }
                print ""
            }
            fair = good == t && sum == n
            for (i = 1; i <= t; i++) if (got[i] < int(n / t) || got[i] > int((n + t - 1) / t)) fair = 0
            for (i = 1; i <= t; i++) print "thread " i " computed " (fair ? got[i] : int(n / t) + (i <= n % t)) " of " n " rows"
        }' "$out"
}

explain_rows() {
    { cat "$want"; echo got; cat "$out"; } | awk -v n="$n" -v t="$t" -v a="${matrix[*]}" '
        function product(r, c, left, right,    k, cell) {
            for (k = 0; k < n; k++) cell += (left ? m[k * n + r + 1] : m[r * n + k + 1]) * (right ? m[c * n + k + 1] : m[k * n + c + 1])
            return cell
        }
        $1 == "got" { part = 1; next }
        !part { if ($1 == "row") { row = $0; sub(/^row [0-9]+: */, "", row); right[$2 + 0] = row }; next }
        $1 == "row" { row = $0; sub(/^row [0-9]+: */, "", row); got[$2 + 0] = row; rows++; if ($2 + 0 != rows) disorder = 1 }
        $1 == "thread" && $3 == "computed" { lines++; sum += $4; share[lines] = $4; if ($2 != lines) disorder = 1 }
        END {
            split(a, m, " ")
            for (r = 1; r <= n; r++) {
                if (got[r] != right[r]) { wrong++; if (!first) first = r; last = r }
                nothing = 1
                for (k = split(got[r], cell, " "); k > 0; k--) if (cell[k] != 0) nothing = 0
                if (got[r] != right[r] && nothing) zero++
            }
            for (r = 1; r <= n; r++) {
                split(got[r], cell, " "); split(right[r], good, " ")
                for (c = 1; c <= n; c++) {
                    off = cell[c] - good[c]; if (off < 0) off = -off
                    if (off > 0 && off / 4294967296 == int(off / 4294967296)) cut++
                    else if (off > 0) uncut = 1
                }
            }
            other = ""
            for (kind = 1; kind <= 3; kind++) {
                same = 1
                for (r = 1; r <= n; r++) {
                    split(got[r], cell, " ")
                    for (c = 1; c <= n; c++) if (cell[c] != product(r - 1, c - 1, kind % 2, kind > 1)) same = 0
                }
                if (same) other = "the cells of another product were computed: row r, column c is the sum of A[r][k] * A[k][c], row times column"
            }
            for (i = 1; i <= lines; i++) { if (share[i] > most) most = share[i]; if (i == 1 || share[i] < least) least = share[i] }
            if (!rows && !lines) print "nothing was printed: see what the program said on stderr"
            else if (rows != n) print "there must be one line a row, " n " in all"
            else if (lines != t) print "there must be one line a thread, " t " in all, after the rows"
            else if (disorder) print "the lines must come in order: main prints them all, after the joins"
            else if (!wrong && sum > n) print "rows were computed by two threads: together they computed " sum " of " n " rows; where one share ends the next one begins, so the end itself does not belong to it (r < to)"
            else if (!wrong && sum < n) print sum == 0 ? "how many rows a thread has computed is not given back to main, or read before the join" : "the threads did not count all their rows: together there are " n
            else if (!wrong && most - least > 1) print "the shares are not fair: one thread computed " most " rows, another one " least "; nobody may have more than one row more than another (the remainder must be shared, too)"
            else if (!wrong) print "the rows are right, but another line is wrong: print only what the task says"
            else if (wrong == n && zero == n) print "no row was computed: are the rows written to memory that main sees too, and read only after the joins?"
            else if (zero == wrong && first == n - wrong + 1 && wrong == n % t) print "the last " wrong " of " n " rows belong to nobody: the remainder of N / T was dropped"
            else if (zero == wrong) print "some rows were computed by nobody: every row must be in one share; give each thread an argument of its own, not the address of a variable that goes on"
            else if (other != "") print other
            else if (cut && !uncut) print "a product or a sum does not fit into an int: both need a long, as the cells have"
            else if (got[1] == right[1] || first > 1) print "the later rows are wrong: was the result written into A, which the threads still read? it needs memory of its own; and each cell a sum that begins at 0"
            else print "the cells are wrong: row r, column c is the sum of A[r][k] * A[k][c] for all k, beginning at 0, in a variable of the thread"
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
        echo "a pointer leads to memory that is gone, or that never was: a local variable of a thread ends with the thread, so its address is no result"
    elif [ "$verdict" = "wrong output" ]; then explain_rows
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
    elif ! grep -qE '\] *[-+*]?= |\*.*= |memcpy|memmove' <<<"$(writing_line)"; then
        echo "two threads change the same variable at once: a sum, or a count, that a thread works with must be its own; join orders it for main"
    elif [[ ${details%%$'\n'*} == *" reads "* ]]; then
        echo "a thread reads what another thread writes at the same time: nobody may write to the matrix that others read, and each row has one thread only"
    else
        echo "two threads write to the same row: each row belongs to one thread only; where one share ends the next one begins"
    fi
}

# judge_rows N T: squares a random matrix.
judge_rows() {
    n=$1 t=$2
    read -ra matrix <<<"$(cells $((n * n)) "${most:-99}")"
    run_threads "$t" "${matrix[@]}"
    [ "$n" -lt 5 ] || ran="./matrix_rows $t ${matrix[*]:0:4} ..., $n x $n numbers in all"
    answer >wanted
    if [ "$verdict" = pass ] && [ "$(count_events thread)" -gt 0 ]; then
        expect_threads "$t"
        expect_joined
    fi
    expect <wanted
    expect_threads "$t"
}

@test "some rows, which do not divide evenly" {
    judge_rows 7 3              # who rounds the shares up gives 3, 3 and 1
}

@test "more threads than rows, one row, one thread" {
    judge_rows "$(random 2 3)" "$(random 4 6)"
    judge_rows 1 "$(random 1 3)"
    judge_rows "$(random 3 4)" 1
}

@test "many rows" {
    local most=100000           # a product of two cells does not fit into an int
    JUDGE_PLAIN=1 judge_rows "$(random 13 16)" "$(random 4 6)"
    JUDGE_PLAIN=1 judge_rows "$(random 14 15)" 16
}
