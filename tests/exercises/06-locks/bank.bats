# bank.bats - the checks of the exercise bank.
# shellcheck disable=SC2154,SC2034,SC2030,SC2031,SC2001  # variables of exercise.bash, and those that explain() sees
load ../../lib/exercise
load ../05-threads/threads

# What must be printed, whatever the order of the clients is: the transfers are chosen so that it does not matter.
answer() {
    awk -v balances="$balances" -v transfers="${transfers[*]}" 'BEGIN {
        n = split(balances, balance, ",")
        count = split(transfers, transfer, " ")
        for (i = 1; i <= count; i++) {
            split(transfer[i], part, "[-:]")
            if (balance[part[1]] < part[3]) { refused++; continue }
            done++
            balance[part[1]] -= part[3]; balance[part[2]] += part[3]
        }
        for (i = 1; i <= n; i++) { printf "account %d: %d\n", i, balance[i]; total += balance[i] }
        print "done " done + 0 ", refused " refused + 0
        print "total " total
    }'
}

say_private="a child has its own copy of ordinary memory: balances, counts and locks that all clients use must lie in the memory of share()"
say_self="from and to may be the same account: then there is one lock only, and whoever takes it twice waits for itself; take it once"
say_order="two clients take two locks in different orders, and each waits for the other one: take the lock of the smaller account number first, whichever way the money goes"
say_unlock="a lock was not given back: unlock on every way out, also when the transfer is refused because funds are short"
say_money="a transfer is refused at once when the account holds less than the amount: nobody waits for money, it may never come"
say_shared="what processes share (a mutex, a condition, a read-write lock) must be made with PTHREAD_PROCESS_SHARED: else an unlock does not wake a waiter in another process"
say_semaphore="a semaphore that is a lock begins at 1: at 0 nobody ever gets it, and at 2 two get in at once"
say_address="each client got the address of the same variable: give each one an argument of its own, not the address of one that goes on"

has_self_transfer() {
    local transfer
    for transfer in "${transfers[@]}"; do
        [ "${transfer%%-*}" != "$(sed 's/.*-\([0-9]*\):.*/\1/' <<<"$transfer")" ] || return 0
    done
    return 1
}

explain_balances() {
    { cat "$want"; echo got; cat "$out"; } | awk -v balances="$balances" -v mode="$mode" -v self="$(has_self_transfer && echo 1)" -v scarce="${scarce:-}" -v chain="${chain:-}" \
        -v private="$say_private" '
        $1 == "got" { part = 1; next }
        !part && $1 == "account" { right[$2 + 0] = $3; n++ }
        !part && $1 == "done" { right_done = $2 + 0; right_refused = $4; next }
        !part && $1 == "total" { right_total = $2 }
        part && $1 == "account" { got[$2 + 0] = $3; lines++; sum += $3 }
        part && $1 == "done" { done = $2 + 0; refused = $4; counts = 1 }
        part && $1 == "total" { total = $2; totals = 1 }
        END {
            split(balances, first, ",")
            untouched = all = 1
            for (i = 1; i <= n; i++) {
                if (got[i] != first[i]) untouched = 0
                if (got[i] != right[i]) all = 0
                if (got[i] < 0) below = i
            }
            if (chain && lines == n && done == 0 && refused == right_done) print "a transfer was refused although the account holds the amount exactly"
            else if (chain && lines == n && sum == right_total && done + refused == right_done) print "a client must do its own transfers, in this order: client k does the transfers k, k + CLIENTS, k + 2 * CLIENTS ..."
            else if (lines != n || !counts || !totals) print "there must be a line for each account, then done and refused, then the total: see what the program said on stderr"
            else if (below) print "account " below " went below zero: two clients both found enough, and both took it; ask for the balance under the lock that you keep until it is changed"
            else if (untouched && !all && done + refused == 0) print mode == "processes" ? private : "no transfer was made"
            else if (untouched && !all) print mode == "processes" ? private : "the balances were not changed: a copy was"
            else if (!all && sum != right_total && self) print "a transfer from an account to itself made or lost money: it moves nothing"
            else if (!all && sum != right_total) print "the total is " sum ", not " right_total ": two clients changed a balance at once, or a refused transfer moved money; hold the lock of both accounts while both are changed"
            else if (all && done + refused == 0) print mode == "processes" ? "done and refused are 0: " private : "done and refused are 0: the clients must give their counts back"
            else if (all && done + refused < right_done + right_refused) print "done and refused are too few: each client must count in its own place, and main adds the counts; or the count needs a lock, too"
            else if (all && self && (done != right_done || refused != right_refused)) print "a transfer from an account to itself is done if the account holds the amount, and refused otherwise, as any other"
            else if (all && (done != right_done || refused != right_refused)) print "the counts of done and refused transfers are wrong: refused is one whose account holds less than the amount"
            else if (all) print "the total is not the sum of the balances"
            else if (scarce) print "a transfer was done without enough money, or refused with enough: ask for the balance under the lock that you keep until it is changed"
            else if (done + refused > right_done + right_refused) print "transfers were done more than once: client k does the transfers k, k + CLIENTS ..."
            else if (refused > right_refused) print "a transfer was refused although the account holds enough"
            else print "a transfer was done wrong, or by nobody: client k does the transfers k, k + CLIENTS ..."
        }'
}

# Is a lock of a kind that the answer uses never made for processes? (Of a mutex, the judge says so itself.)
unshared() {
    local kind
    for kind in rwlock cond barrier; do
        if grep -q "pthread_${kind}_" "$ANSWER" && ! grep -q "pthread_${kind}attr_setpshared" "$ANSWER"; then return 0; fi
    done
    return 1
}

stuck() {                       # what a deadlock, or a hang, comes from
    if grep -q 'sem_init *([^;]*, *0 *)' "$ANSWER"; then echo "$say_semaphore"
    elif [ "$mode" = processes ] && unshared; then echo "$say_shared"
    elif [[ $details == *" is running"* || $details == *cond_wait* ]] && [ -n "${short:-}" ]; then echo "$say_money"
    elif has_self_transfer; then echo "$say_self"
    elif [ -n "${short:-}" ]; then echo "$say_unlock"
    elif [ "$mode" = threads ] || ! grep -q 'fork' <<<"$details"; then echo "$say_order"
    fi
}

explain_deadlock() { stuck; }

explain() {
    case $verdict in
    hang) stuck ;;
    crash) if [ "$mode" = threads ] && [ -n "$(one_argument_for_all)" ]; then echo "$say_address"; fi ;;
    "left behind")
        if [ "$mode" = processes ]; then echo "each client process must be waited for, with wait_children or waitpid"; fi ;;
    "wrong call")
        case $details in
        *PROCESS_SHARED*) echo "$say_shared" ;;
        *pshared*) echo "a semaphore that processes share must be made by sem_init with 1 as its second argument" ;;
        *unlock*) echo "a mutex was unlocked by a client that does not hold it: for a transfer from an account to itself, unlock once; unlock only what you have locked; and make the locks once, before the clients start" ;;
        esac ;;
    "wrong output" | "wrong exit status")
        if [ "$mode" = processes ] && [ "$(count_events fork)" -eq 0 ]; then echo "no process was started: with the argument processes, the clients are children"
        elif [ "$mode" = threads ] && [ "$(count_events thread)" -eq 0 ]; then echo "no thread was started"
        else explain_balances; fi ;;
    esac
    return 0
}

explain_race() {
    local name=''
    [ "$mode" = processes ] || name=$(one_argument_for_all)
    if [ -n "$name" ]; then echo "$say_address"
    elif [ "$mode" = processes ] && ! [[ $details == *"P1 "* ]] && ! grep -q 'share *(' "$ANSWER"; then echo "$say_private"
    elif racing_lines | grep -qE 'done|refused' && ! racing_lines | grep -q 'balance'; then
        echo "the counts of done and refused transfers are used by all clients at once: each client counts in its own place, or under a lock"
    elif [ "$mode" = processes ] && grep -q 'PTHREAD_MUTEX_INITIALIZER' "$ANSWER"; then echo "the balances are used at once by processes: is the lock in ordinary memory? then each process has its own copy of it, and it excludes nobody; put it into the memory of share()"
    elif grep -qE 'sem_init *([^;]*, *([02-9]|1[0-9]+) *)' "$ANSWER"; then echo "$say_semaphore"
    elif grep -q 'memory_order_relaxed' "$ANSWER" && ! grep -q 'memory_order_\(acquire\|acq_rel\|seq_cst\)' "$ANSWER"; then
        echo "memory_order_relaxed orders nothing: a lock of your own must be taken with acquire and given back with release"
    elif [ "$mode" = threads ] && main_took_part; then echo "main reads the balances before every client was joined"
    elif grep -q 'rdlock' "$ANSWER"; then
        echo "a lock for reading lets in several clients at once: who changes a balance needs the lock for writing, and keeps it from the question until the change"
    else
        echo "a balance is read or changed by two clients at once: hold the lock of an account while you ask whether there is enough, and until both balances are changed (the lock itself: not a copy, and not one for each client)"
    fi
}

# judge_bank threads|processes CLIENTS: with $balances and $transfers.
judge_bank() {
    local word=processes
    mode=$1
    [ "$mode" = processes ] || word=
    run_threads $word "$2" "$balances" "${transfers[@]}"
    [ "${#transfers[@]}" -lt 50 ] || ran="./bank $word $2 ${balances%%,*},... ${transfers[*]:0:3} ..., ${#transfers[@]} transfers in all"
    if [ "$mode" = processes ] && [ -f "$stage/at/private_in_shared" ]; then fail_with "wrong call" "$say_shared"; fi
    answer >wanted
    if [ "$verdict" = pass ] && [ "$mode" = threads ] && [ "$(count_events thread)" -gt 0 ]; then expect_joined; fi
    expect <wanted
    if [ "$mode" = processes ] && [ "$(count_events fork)" -eq 0 ]; then
        fail_with "not parallel" "no process was started: with the argument processes, the clients are children"
    elif [ "$mode" = threads ] && [ "$(count_events thread)" -eq 0 ]; then
        fail_with "not parallel" "no thread was started: without the argument processes, the clients are threads"
    fi
    if [ "$mode" = threads ]; then expect_threads "$2"; else expect_parallel "$2"; fi
}

# crossing ROUNDS CLIENTS ACCOUNTS: in each round all clients move money between the same two accounts, neighbours in
# opposite directions. The amounts are small enough to be done in any order.
crossing() {
    local i round client from to
    transfers=() balances=
    for ((round = 0; round < $1; round++)); do
        from=$(random 1 "$3")
        to=$((from % $3 + 1))
        for ((client = 0; client < $2; client++)); do
            if [ $(((round + client) % 2)) = 0 ]; then transfers+=("$from-$to:$(random 1 40)"); else transfers+=("$to-$from:$(random 1 40)"); fi
        done
    done
    for ((i = 0; i < $3; i++)); do balances+=,$((40 * $1 * $2 + $(random 0 99))); done
    balances=${balances#,}
}

@test "threads: enough money, both ways" {
    local clients
    clients=$(random 2 3)
    crossing 10 "$clients" 2
    judge_bank threads "$clients"
    crossing 3 4 5
    judge_bank threads 4
}

@test "threads: funds are short" {
    local amount clients
    clients=$(random 3 4) amount=$(random 30 70)
    scarce=1 short=1 balances=$((2 * amount + $(random 0 $((amount - 1))))),0,5
    transfers=()
    for ((i = 0; i < clients; i++)); do transfers+=("1-2:$amount" "3-1:$((5 * amount))"); done
    judge_bank threads "$clients"
}

@test "threads: from an account to itself" {
    balances=$(random 50 99),$(random 50 99)
    transfers=("1-1:$(random 10 40)" 2-2:1000 "2-2:$(random 10 40)" 1-1:100 "1-1:$(random 10 20)")
    judge_bank threads "$(random 2 3)"
}

@test "processes: enough money, both ways" {
    local clients
    clients=$(random 2 3)
    crossing 5 "$clients" 2
    transfers+=(1-1:5 2-2:7)
    judge_bank processes "$clients"
}

@test "processes: funds are short" {
    local amount clients
    clients=$(random 3 4) amount=$(random 30 70)
    scarce=1 short=1 balances=$((2 * amount + $(random 0 $((amount - 1))))),0,5
    transfers=()
    for ((i = 0; i < clients; i++)); do transfers+=("1-2:$amount" "3-1:$((5 * amount))"); done
    judge_bank processes "$clients"
}

@test "each client does its own transfers, in their order" {
    local i step clients amounts=()
    clients=$(random 2 3) transfers=() balances=
    for ((i = 0; i < clients; i++)); do
        amounts+=("$(random 30 70)")
        balances+=,${amounts[i]},0,0,0
    done
    balances=${balances#,} chain=1
    for step in 1 2 3; do       # each one needs the money that the one before it has brought
        for ((i = 0; i < clients; i++)); do transfers+=("$((4 * i + step))-$((4 * i + step + 1)):${amounts[i]}"); done
    done
    judge_bank "$( [ "$(random 0 1)" = 0 ] && echo threads || echo processes)" "$clients"
}

@test "many transfers" {
    crossing 25 8 16
    JUDGE_PLAIN=1 judge_bank threads 8
    JUDGE_PLAIN=1 judge_bank processes 8
}
