# mini_shell.bats - the checks of the exercise mini_shell. What is expected, the machine's own sh says.
# shellcheck disable=SC2154,SC2034,SC2016  # variables of exercise.bash and those that explain() sees; scripts for sh
load ../../lib/exercise

# The files that the lines are about: made in the folder where sh runs, copied to where the answer runs.
make_files() {
    mkdir -p as_sh
    awk -v state="$(random 1 1000000)" '
        function next_one(n) { state = (state * 69069 + 1) % 1048576; return int(state / 1048576 * n) }
        BEGIN {
            split("apple pear plum lemon cherry fig date melon grape quince", fruit)
            for (i = 1; i <= 12; i++) print next_one(90) + 10, fruit[next_one(10) + 1], fruit[next_one(10) + 1] >"as_sh/fruit.txt"
            for (i = 1; i <= 5000; i++) print next_one(900000) + 100000, fruit[next_one(10) + 1], i >"as_sh/big.txt"
        }'
    echo "exit $(random 3 99)" >as_sh/fails.sh
    echo 'kill -s KILL $$' >as_sh/killed.sh
    echo 'kill -s TERM $$' >as_sh/ended.sh
    echo 'cat; exit 5' >as_sh/passes.sh
    # which descriptors have I? Those from 10 on are the shell'"'"'s own
    echo 'list=; for fd in 0 1 2 3 4 5 6 7 8 9; do if [ -e /proc/$$/fd/$fd ]; then list="$list $fd"; fi; done; echo "$1 has descriptors$list" >"$1.fds"' >as_sh/descriptors.sh
    # lets go of its output at once, and is ready much later
    echo 'exec >&-; sort big.txt big.txt big.txt big.txt | sort -r >late.tmp; mv late.tmp late.txt' >as_sh/late.sh
    head -n 200 as_sh/big.txt >as_sh/old.txt
    : >errors
    cp as_sh/* "$stage/at/"
}

# judge_lines [OPTION OF run_answer]...: the lines are in the file lines; what is expected on stderr, in errors.
judge_lines() {
    local code=0
    commands=$(tr -cd '|\n' <lines | wc -c)
    (exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-    # bats leaves some open
     cd as_sh && env -i PATH=/usr/local/bin:/usr/bin:/bin LC_ALL=C sh ../lines </dev/null >../sh.out 2>/dev/null) || code=$?
    run_answer --time 8000 "$@" --stdin lines
    { cat sh.out; sed 's/^/! mini_shell: /' errors; [ $code = 0 ] || echo "exit $code"; } | expect
}

first_process() { awk '$1 == "start" { print $2; exit }' "$events"; }

# Has a process other than the first one forked, or tried to go on as if it were the first?
ran_on() {
    [ "$(awk -v first="$(first_process)" '$1 == "fork" && $2 != first' "$events" | wc -l)" -gt 0 ] ||
        { [ "$kind" = missing ] && grep -q 'Bad file descriptor\|No child process' "$err"; }
}

say_ran_on="a child whose exec failed went on in its parent's code, as a second mini_shell: after exec comes a message, and then _exit(127)"

explain_hang() {
    if ran_on; then
        echo "$say_ran_on"
    elif [ "$(count_events fork)" -lt "$commands" ] && grep -q "waits in w.*first process.*descriptor" <<<"$details"; then
        echo "mini_shell waits for one program before it starts the next one, but a pipe holds only some bytes: start all programs of the line, then wait"
    elif grep -q "^pid .* is held by.* the first process" <<<"$details"; then
        echo "mini_shell itself still holds an end of a pipe: after each fork the parent must close the ends that it gave to the child"
    elif grep -qE "^pid ([0-9]+) .* is held by.* pid \1 " <<<"$details"; then
        echo "a program holds both ends of one pipe (see below), so it waits for itself: in the child, before exec, close the end that it does not use"
    elif grep -q "^pid .* is held by" <<<"$details"; then
        echo "a program holds an end of a pipe that is not its own (see below): in the child, before exec, close every end but the two that it reads and writes"
    elif grep -q "^pid .* waits in read on descriptor 0, pipe" <<<"$details"; then
        echo "a program reads a pipe whose write end nobody holds, or not the right pipe: who reads from which one?"
    else
        echo "a program waits for input that never ends: without < the first program reads /dev/null; the others read the pipe of the one before"
    fi
}

# The lines of stdout and stderr, told as the mistake that makes such lines.
explain_lines() {
    local forks
    forks=$(awk -v first="$(first_process)" '$1 == "fork" && $2 == first' "$events" | wc -l)
    if grep -q 'none was run' "$err"; then
        echo "no program was run: fork, and exec in the child"
    elif ran_on; then
        echo "$say_ran_on"
    elif grep -q 'No child process' "$err"; then
        echo "waitpid found no child (ECHILD): wait once for each child; and do not ignore SIGCHLD, or the kernel throws their statuses away"
    elif [ "$forks" -gt "$commands" ]; then
        echo "lines were run twice: a child ended with exit() or return, which moved the place in standard input that it shares with mini_shell; after a failed exec use _exit"
    elif [ "$kind" = words ]; then
        if [ ! -s "$out" ] && grep -c 'not found' "$err" >/dev/null; then
            echo "the program is not found: execvp looks in PATH, execv does not"
        elif grep -q '^two three' "$out"; then
            echo "the first argument is lost: the array for execvp begins with the program's own name, words[0]"
        elif [ -s "$out" ] && [ -z "$(head -n 1 "$out")" ]; then
            echo "the arguments are lost: execvp gets the whole array, words"
        elif grep -q '^one two' "$out"; then
            echo "the line was given to a shell, which changed the words: there are no quotes, \$ and * here; run the programs yourself, with execvp"
        fi
    elif grep -q '^mini_shell: .*\(not found\|cannot be\)' "$out"; then
        echo "what goes wrong is told on standard error (descriptor 2): standard output is the pipe to the next program"
    elif [ "$kind" = missing ] && grep -q '^mini_shell: ./fruit.txt: not found' "$err"; then
        echo "not found is only ENOENT: fruit.txt is there, but it is no program (EACCES): cannot be run, status 126"
    elif [ "$kind" = missing ] && ! cmp -s <(sort "$err") <(sed 's/^/mini_shell: /' errors | sort); then
        echo "a program or file that is not there: its child says one line, as the task shows, on standard error, and the other programs of the line run on"
    elif [ "$kind" = input ]; then
        echo "a program ate command lines: without < the first program of a line must read /dev/null, not mini_shell's own input"
    elif [ "$kind" = files ] && grep -q 'Permission denied' "$err"; then
        echo "the new file cannot be opened again: with O_CREAT open needs the mode, 0666"
    elif [ "$kind" = files ] && grep -q 'old.txt: cannot be opened' "$err"; then
        echo "old.txt is there already, and open failed: without O_EXCL, with O_TRUNC, open takes a file that is there and empties it"
    elif [ "$kind" = files ] && grep -q 'new.txt.*No such file\|new.txt: cannot be opened' "$err"; then
        echo "the file behind > is not made: O_CREAT"
    elif [ "$kind" = files ] && [ ! -s "$out" ]; then
        echo "the output of later lines went into the file too: redirect in the child, after fork, so that mini_shell itself keeps its standard output"
    elif [ "$kind" = files ] && [ "$(wc -l <"$out")" -gt "$(wc -l <sh.out)" ]; then
        echo "the old lines of the file behind > are still there: it must be emptied when it is opened (O_TRUNC)"
    elif [ "$(count_events kill)" -gt 0 ]; then
        echo "mini_shell ended a program with kill: each program of a line ends by itself, mini_shell only waits"
    elif [ "$kind" = late ]; then
        echo "the next line began before all programs of the line had ended: wait for each of them, not only for the last one"
    elif [ "$kind" = descriptors ] && grep -q 'has descriptors.* [3-9]' "$out"; then
        echo "a program has more than the descriptors 0, 1 and 2: in the child, close the copy that dup2 has made needless, and the ends that are for others"
    elif grep -q 'Bad file descriptor' "$err"; then
        echo "a descriptor was closed too early, or twice: which process needs which end?"
    elif [ "$forks" -eq 0 ] && [ "$(count_events wait)" -eq 0 ]; then
        echo "mini_shell has no child: each program is run in a child of its own"
    fi
}

explain_status() {
    local wanted got
    wanted=$(tail -n 1 "$want") got=${end#exit }
    wanted=${wanted#exit }
    case $wanted in '' | *[!0-9]*) wanted=0 ;; esac
    if [ "$kind" = signal ]; then
        echo "the last program was killed by signal $((wanted - 128)), so it has no exit status: ask WIFSIGNALED, and the status is 128 + WTERMSIG"
    elif [ "$kind" = missing ]; then
        echo "a program that is not found has status 127, one that cannot be run 126, a file that cannot be opened 2: the child ends with _exit(status)"
    elif [ "$kind" = files ]; then
        echo "the last line's program ended with exit status $wanted: take it out of the wait status with WEXITSTATUS, and return it from main"
    else
        echo "the status of a line is that of its LAST program ($wanted here), whichever ends first: keep each pid, and know whose status waitpid gave"
    fi
}

explain() {
    case $verdict in
    hang | deadlock) explain_hang ;;
    "left behind")
        if ran_on; then
            echo "$say_ran_on; mini_shell itself starts every program and waits for it"
        else
            echo "each program of a line must be waited for, not only the last one: one waitpid for each pid"
        fi ;;
    "over the limit")
        echo "lines were run again and again: a child whose exec failed must end with _exit, not with exit or return" ;;
    "wrong exit status") explain_status ;;
    "wrong output") explain_lines ;;
    crash)
        [ "$end" != "killed by SIGPIPE" ] || echo "mini_shell itself writes into a pipe: only the programs do" ;;
    esac
    return 0
}

@test "single programs, their words and files" {
    make_files
    kind=words
    cat >lines <<END
echo one two three
echo \$HOME * "a   'b" ; exit 3 #
END
    commands=2
    run_answer --time 8000 --stdin lines
    expect <<END
one two three
\$HOME * "a 'b" ; exit 3 #
END
    kind=files
    cat >lines <<END
head -n $(random 2 6) fruit.txt > new.txt
sort < new.txt > old.txt
cat new.txt old.txt
sh fails.sh
END
    rm -f "$stage/at/new.txt"
    cp as_sh/big.txt "$stage/at/old.txt"
    judge_lines
    kind=input
    printf 'wc -l\necho and on\nsort\necho still\ncat\n' >lines
    judge_lines --feed "$(random 5 9)"
}

@test "ends of pipes" {
    make_files
    kind=pipe
    echo "cat big.txt | sort -r | head -n $(random 2 9) | tail -n 1" >lines
    judge_lines
    echo "cat /dev/zero | head -c $(random 2 9) | wc -c" >lines
    judge_lines
    kind=late
    rm -f "$stage/at/late.txt"
    printf 'sh late.sh | true\nhead -n 1 late.txt\n' >lines
    JUDGE_PLAIN=1 judge_lines         # it takes time, and a schedule would change nothing: the programs are not under it
    kind=descriptors
    cat >lines <<END
sh descriptors.sh first < fruit.txt | sh descriptors.sh second | sh descriptors.sh third | sh descriptors.sh fourth > none.txt
cat first.fds second.fds third.fds fourth.fds
END
    judge_lines
}

@test "how programs end" {
    make_files
    kind=status
    echo "sh fails.sh | cat big.txt | head -n 2 | sh passes.sh" >lines
    judge_lines
    echo "sort -r big.txt | tail -n 1 | grep nothing | sh fails.sh" >lines
    judge_lines
    echo "sh late.sh | sh fails.sh" >lines
    JUDGE_PLAIN=1 judge_lines
    kind=signal
    echo "cat fruit.txt | sh $([ "$(random 0 1)" = 1 ] && echo ended.sh || echo killed.sh)" >lines
    judge_lines
    kind=missing
    printf 'missing_1: not found\n' >errors
    printf 'missing_1\necho after\n' >lines
    judge_lines
    printf 'missing_%d: not found\n' 1 2 3 >errors
    printf 'missing_1 x y | cat\ncat fruit.txt | missing_2 | wc -l\ncat fruit.txt | missing_3\n' >lines
    judge_lines
    printf './fruit.txt: cannot be run\nnothing.txt: cannot be opened\n' >errors
    printf 'sort < nothing.txt | wc -l\ncat fruit.txt | ./fruit.txt\n' >lines
    printf 'nothing.txt: cannot be opened\n./fruit.txt: cannot be run\n' >errors
    judge_lines
    printf 'echo one\nsort < nothing.txt\n' >lines
    run_answer --time 8000 --stdin lines
    expect <<END
one
! mini_shell: nothing.txt: cannot be opened
exit 2
END
}

@test "lines made by chance" {
    make_files
    kind=chance
    for round in 1 2; do
        : >errors
        awk -v state="$(random 1 1000000)" '
            function next_one(n) { state = (state * 69069 + 1) % 1048576; return int(state / 1048576 * n) }
            function one_of(list,  words, n) { n = split(list, words, /, /); return words[next_one(n) + 1] }
            function filled(text) {             # N stands for a small number, W for a word
                gsub(/N/, next_one(6) + 1, text)
                gsub(/W/, one_of("apple, pear, a, e, lem"), text)
                return text
            }
            BEGIN {
                sources = "cat fruit.txt, sort fruit.txt, head -n N fruit.txt, tail -n N big.txt, echo W N W, sed -n N,9p fruit.txt, " \
                          "cat big.txt, sort -n < big.txt, tr a-m A-M < fruit.txt, cut -c 2-N1 < big.txt, grep W fruit.txt, wc -l < big.txt, " \
                          "sh fails.sh, printf %s-%d W N | cat - fruit.txt, false, true, missing"
                filters = "cat, sort, sort -r, sort -n, uniq, uniq -c, tr a-z A-Z, tr -d aeiou, head -n N, tail -n N, sed -n Np, sed s/W/W/, " \
                          "grep W, grep -c W, wc -l, wc -w, wc -c, cut -c 1-1N, cat - fruit.txt, sh passes.sh, sh fails.sh, false, true, missing"
                for (line = 1; line <= 7; line++) {
                    text = filled(one_of(sources))
                    for (more = next_one(5); more > 0; more--) text = text " | " filled(one_of(filters))
                    if (sub(/missing/, "MISS", text)) {         # one in a line: two would speak in any order
                        gsub(/missing/, "cat", text)
                        sub(/MISS/, "missing_" ++missing, text)
                        print "missing_" missing ": not found" >"errors"
                    }
                    if (line < 7 && next_one(3) == 0) text = text " > made.txt\ncat made.txt"
                    print text
                }
            }' >lines
        judge_lines
    done
}
