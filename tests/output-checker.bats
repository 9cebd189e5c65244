# Tests of the Output checker, tests/lib/match.c: for each rule of the Output blocks what it must
# accept and what it must reject. The expected results are worked out from the rules by hand.
# One test holds several cases; a case that fails says its name.

setup_file() {
    export MATCH="$BATS_FILE_TMPDIR/match"
    # shellcheck disable=SC2086    # several flags
    "${CC:-gcc}" -std=c11 -Wall -Wextra -O1 -g ${CFLAGS-} -o "$MATCH" "$BATS_TEST_DIRNAME/lib/match.c"
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    ulimit -t 5     # seconds: a checker that never ends is killed, and its case fails
}

fail() {
    printf 'case failed: %s\n%s\n' "$1" "$2" >&2
    return 1
}

# compare KIND EXPECTED OUT [ERR [END]]: runs match on these texts (\n and the like are replaced).
# Sets status and output.
compare() {
    printf '%b' "$3" >out
    printf '%b' "${4-}" >err
    status=0
    output=$(printf '%b' "$2" | "$MATCH" compare - "$1" out err "${5-exit 0}" 2>&1) || status=$?
}

# accepts NAME KIND EXPECTED OUT [ERR [END]]: it matches, and nothing is printed.
accepts() {
    compare "${@:2}"
    [ "$status" -eq 0 ] && [ -z "$output" ] || fail "$1 (exit $status)" "$output"
}

# rejects NAME ...: wrong output.   rejects_end NAME ...: right output, wrong end.
rejects() {
    compare "${@:2}"
    [ "$status" -eq 1 ] && [ "${output%%$'\n'*}" = 'wrong output' ] || fail "$1 (exit $status)" "$output"
}

rejects_end() {
    compare "${@:2}"
    [ "$status" -eq 1 ] && [ "${output%%$'\n'*}" = 'wrong exit status' ] || fail "$1 (exit $status)" "$output"
}

# says NAME PART: the last output has this part.
says() {
    [[ "$output" == *"$2"* ]] || fail "$1: does not say '$2'" "$output"
}

# lists NAME SOURCE LINES: match list prints exactly these lines; it ends with 3 when there are none.
lists() {
    local want=0
    [ -n "$3" ] || want=3
    printf '%b' "$2" >program.c
    status=0
    output=$("$MATCH" list program.c 2>&1) || status=$?
    [ "$status" -eq "$want" ] && [ "$output" = "$(printf '%b' "$3")" ] || fail "$1 (exit $status)" "$output"
}

# malformed NAME SOURCE LINE WORDS: match list says program.c:LINE: ... WORDS ... in one line on
# stderr, and ends with 1.
malformed() {
    printf '%b' "$2" >program.c
    status=0
    output=$("$MATCH" list program.c 2>&1 >list) || status=$?
    [ "$status" -eq 1 ] && [[ "$output" == "program.c:$3: "*"$4"* ]] && [[ "$output" != *$'\n'* ]] && [ ! -s list ] ||
        fail "$1 (exit $status)" "$output"
}

@test "headers: kind, command, signal and client are found" {
    lists 'plain' '/* Output:\na\n*/\n' '1\tordered\t-\t-\t-'
    lists 'no space' '/*Output:\na\n*/' '1\tordered\t-\t-\t-'
    lists 'command' '/* Output of ./rlock 3 < box.txt:\na\n*/\n' '1\tordered\t./rlock 3 < box.txt\t-\t-'
    lists 'server' '/* Output of ./s 0 until SIGTERM, with ./c PORT < l.txt:\n*/\n' \
        '1\tordered\t./s 0\tSIGTERM\t./c PORT < l.txt'
    lists 'signal alone' '/* Output until SIGINT:\n*/\n' '1\tordered\t-\tSIGINT\t-'
    lists 'client alone' '/* Output, with ./c:\n*/\n' '1\tordered\t-\t-\t./c'
    lists 'colon in the command' '/* Output of ./c 127.0.0.1:80:\n*/\n' '1\tordered\t./c 127.0.0.1:80\t-\t-'
    lists 'reason after' '/* Unordered output of ./x 3: two: both run\na\n*/\n' '1\tunordered\t./x 3\t-\t-'
    lists 'reason before' '/* Both run at once.\nUnordered output:\na\n*/\n' '1\tunordered\t-\t-\t-'
    lists 'reason in the first line' '/* Both run at once.\n\nUnordered output of ./x:\n*/\n' \
        '1\tunordered\t./x\t-\t-'
    lists 'several in one comment and in two' \
        '/* Output:\na\nOutput of ./x 2:\nb\nUnordered output: why\n*/\nint x;\n/* Output of ./x 4:\n*/\n' \
        '1\tordered\t-\t-\t-\n2\tordered\t./x 2\t-\t-\n3\tunordered\t-\t-\t-\n4\tordered\t./x 4\t-\t-'
}

@test "headers: prose, strings and line comments are none" {
    lists 'empty file' '' ''
    lists 'prose' '/* Output goes to stdout.\nOutput of the child comes first:\nOutput\nUnordered outputs\n*/\n' ''
    lists 'inside a line' '/* The Output: nothing\n Output: indented\n*/\nint x; /* Output:\n*/\n' ''
    lists 'string' 'char *s = "/* Output:\\n*/";\nchar *t = "\\"/* Output:";\n' ''
    lists 'not in a comment' 'Output:\na\n' ''
    lists 'line comment' '// /* Output:\n// Output:\n' ''
    lists 'quotes' "char c = '\"'; // don't\n/* it's */\n/* Output:\n*/\nchar d = '\\\\'';\n" '1\tordered\t-\t-\t-'
    lists 'quote before a comment' "char c = '\"'; /* a\nOutput:\n*/\n" '1\tordered\t-\t-\t-'
    lists 'comment marks in a string' 'char *s = "/*";\n/* Output:\n*/\nchar *t = "*/";\n' '1\tordered\t-\t-\t-'
}

@test "headers: malformed ones are errors that name file and line" {
    malformed 'no colon' '/* Output of ./x\na\n*/\n' 1 "no ':'"
    malformed 'no colon, line 4' '/* Output:\na\n*/\n/* Output of ./x 3\n*/\n' 4 "no ':'"
    malformed 'no colon, in a block' '/* Output:\na\nOutput of ./x\n*/\n' 3 "no ':'"
    malformed 'no colon, unordered' '/* Unordered output why\n*/\n' 1 "no ':'"
    malformed 'unknown word' '/* Unordered output from ./x: why\n*/\n' 1 'unknown word'
    malformed 'unknown signal' '/* Output of ./x until SIGFOO:\n*/\n' 1 'unknown signal'
    malformed 'signal without SIG' '/* Output of ./x until TERM:\n*/\n' 1 'unknown signal'
    malformed 'word after the signal' '/* Output of ./x until SIGTERM now:\n*/\n' 1 'unknown signal'
    malformed 'no signal' '/* Output of ./x until:\n*/\n' 1 'until SIGNAL'
    malformed 'until misspelt' '/* Output of ./x untill SIGTERM:\n*/\n' 1 'until SIGNAL'
    malformed 'no client' '/* Output of ./x, with :\n*/\n' 1 'a word is missing'
    malformed 'no comma' '/* Output of ./x with ./c:\n*/\n' 1 ', with CLIENT'
    malformed 'no command' '/* Unordered output of : why\n*/\n' 1 'a word is missing'
    malformed 'command without ./' '/* Unordered output of x: why\n*/\n' 1 'begins with ./'
    malformed 'tab in the command' '/* Output of ./x\t3:\n*/\n' 1 'control character'
    malformed 'reason of an ordered block' '/* Output: because\n*/\n' 1 'only Unordered'
    malformed 'no reason' '/* Unordered output:\na\n*/\n' 1 'without the reason'
    malformed 'no reason, block before' '/* Output:\na\nUnordered output:\nb\n*/\n' 3 'without the reason'
    malformed 'reason in another comment' '/* why */\n/* Unordered output:\n*/\n' 2 'without the reason'
    malformed 'one line' '/* Output: */\n' 1 'a line of its own'
    malformed 'end behind a line' '/* Output:\na */\n' 2 'a line of its own'
    malformed 'code behind the end' '/* Output:\na\n*/ int x;\n' 3 'a line of its own'
    malformed 'never closed' '/* Output:\na\n' 1 'no end'
    malformed 'no newline' '/* Output:' 1 'no end'
}

@test "show prints the lines of one block as they stand" {
    printf '/* Output:\n a \n! b\n\nexit 3\nOutput of ./x 2:\nUnordered output: why\npid P1\n*/\n' >program.c
    [ "$("$MATCH" show program.c 1 | od -c)" = "$(printf ' a \n! b\n\nexit 3\n' | od -c)" ]
    [ -z "$("$MATCH" show program.c 2)" ]
    [ "$("$MATCH" show program.c 3)" = 'pid P1' ]
}

@test "compare takes its block from a file too" {
    printf '/* Output:\na\nexit 3\n*/\n/* Unordered output: why\npid P1\n! b\nc\n*/\n' >program.c
    printf 'c\npid 7\n' >out
    printf 'b\n' >err
    "$MATCH" compare program.c 2 out err 'exit 0'
    printf 'a\n' >a
    "$MATCH" compare program.c 1 a /dev/null 'exit 3'
    status=0
    "$MATCH" compare program.c 1 out err 'exit 3' >why || status=$?
    [ "$status" -eq 1 ]
    [ "$(head -n 1 why)" = 'wrong output' ]
    for bad in 'program.c 3 out err' 'program.c 0 out err' 'program.c x out err' 'program.c 01 out err' \
        'none.c 1 out err' 'program.c 1 none err' 'program.c 1 out .' '- random out err' 'program.c 1 out'; do
        status=0
        # shellcheck disable=SC2086    # split into words on purpose
        "$MATCH" compare $bad 'exit 0' >why 2>&1 </dev/null || status=$?
        [ "$status" -eq 2 ] || fail "$bad (exit $status)" "$(cat why)"
    done
    printf '/* Output:\na\nOutput of ./x\n*/\n' >program.c
    status=0
    "$MATCH" compare program.c 1 a /dev/null 'exit 0' >why 2>&1 || status=$?
    [ "$status" -eq 2 ] && [[ "$(cat why)" == 'program.c:3: '* ]]
}

@test "lines are compared byte for byte" {
    for kind in ordered unordered; do
        accepts "$kind: equal" $kind 'a\nb\n' 'a\nb\n'
        accepts "$kind: nothing" $kind '' ''
        accepts "$kind: an empty line" $kind '\n' '\n'
        accepts "$kind: any bytes" $kind 'a\0001\0377b\r\n' 'a\0001\0377b\r\n'
        rejects "$kind: byte 0 and what follows it" $kind 'a\0000b\n' 'a\0000c\n'
        rejects "$kind: something for nothing" $kind '' '\n'
        rejects "$kind: nothing for something" $kind '\n' ''
        rejects "$kind: missing" $kind 'a\nb\n' 'a\n'
        rejects "$kind: extra" $kind 'a\nb\n' 'a\nb\nc\n'
        rejects "$kind: doubled" $kind 'a\nb\n' 'a\nb\nb\n'
        rejects "$kind: one twice, one missing" $kind 'a\na\nb\n' 'a\nb\nb\n'
        rejects "$kind: space at the end" $kind 'a\nb\n' 'a\nb \n'
        rejects "$kind: no space at the end" $kind 'a \nb\n' 'a\nb\n'
        rejects "$kind: upper case" $kind 'a\nb\n' 'a\nB\n'
        rejects "$kind: no newline at the end" $kind 'a\nb\n' 'a\nb'
        rejects "$kind: an empty line more" $kind 'a\nb\n' 'a\n\nb\n'
    done
    rejects 'ordered: another order' ordered 'a\nb\n' 'b\na\n'
    accepts 'unordered: another order' unordered 'a\nb\na\n' 'b\na\na\n'
}

@test "stderr is a stream of its own" {
    for kind in ordered unordered; do
        accepts "$kind: both" $kind 'a\n! x\nb\n!\n! y\n' 'a\nb\n' 'x\n\ny\n'
        accepts "$kind: ! without a space" $kind '!x\n' '!x\n'
        rejects "$kind: stderr line on stdout" $kind 'a\n! x\n' 'a\nx\n'
        rejects "$kind: stdout line on stderr" $kind 'a\nx\n' 'a\n' 'x\n'
        rejects "$kind: streams exchanged" $kind 'a\n! x\n' 'x\n' 'a\n'
        rejects "$kind: ! on stdout" $kind '! x\n' '! x\n'
        rejects "$kind: unexpected stderr" $kind 'a\n' 'a\n' 'x\n'
        rejects "$kind: missing on stderr" $kind 'a\n! x\n! y\n' 'a\n' 'x\n'
        rejects "$kind: wrong on stderr" $kind 'a\n! x\n' 'a\n' 'y\n'
        rejects "$kind: no newline on stderr" $kind 'a\n! x\n' 'a\n' 'x'
    done
    rejects 'ordered: another order' ordered '! x\n! y\n' '' 'y\nx\n'
    accepts 'unordered: another order' unordered '! x\n! y\n' '' 'y\nx\n'
}

@test "the end: exit status or signal" {
    for kind in ordered unordered; do
        accepts "$kind: exit 0 told" $kind 'a\nexit 0\n' 'a\n'
        accepts "$kind: exit 3" $kind 'a\nexit 3\n' 'a\n' '' 'exit 3'
        accepts "$kind: exit 255, last line without newline" $kind 'exit 255' '' '' 'exit 255'
        accepts "$kind: killed" $kind 'a\nkilled by SIGTERM\n' 'a\n' '' 'killed by SIGTERM'
        accepts "$kind: exit 3 is a line when another follows" $kind 'exit 3\nexit 0\n' 'exit 3\n'
        accepts "$kind: exit 256 is a line" $kind 'exit 256\n' 'exit 256\n'
        accepts "$kind: exit 03 is a line" $kind 'exit 03\n' 'exit 03\n'
        accepts "$kind: no such signal is a line" $kind 'killed by SIGFOO\n' 'killed by SIGFOO\n'
        accepts "$kind: on stderr it is a line" $kind '! exit 3\n' '' 'exit 3\n'
        rejects_end "$kind: exit 1 for 0" $kind 'a\n' 'a\n' '' 'exit 1'
        rejects_end "$kind: exit 0 for 3" $kind 'a\nexit 3\n' 'a\n'
        rejects_end "$kind: exit 30 for 3" $kind 'a\nexit 3\n' 'a\n' '' 'exit 30'
        rejects_end "$kind: killed for exit" $kind 'a\nexit 15\n' 'a\n' '' 'killed by SIGTERM'
        rejects_end "$kind: killed for exit 0" $kind 'a\n' 'a\n' '' 'killed by SIGSEGV'
        rejects_end "$kind: exit for killed" $kind 'a\nkilled by SIGTERM\n' 'a\n' '' 'exit 143'
        rejects_end "$kind: another signal" $kind 'a\nkilled by SIGTERM\n' 'a\n' '' 'killed by SIGKILL'
        rejects "$kind: output first" $kind 'a\nexit 3\n' 'b\n' '' 'exit 0'
        rejects "$kind: the end is not output" $kind 'a\nexit 3\n' 'a\nexit 3\n' '' 'exit 3'
    done
    compare ordered 'a\nexit 3\n' 'a\n' '' 'killed by SIGTERM'
    says 'both ends' 'exit 3'
    says 'both ends' 'killed by SIGTERM'
}

@test "labels: any one-to-one renaming" {
    family='parent (pid P1)\nchild (pid P2) of pid P1\nparent made pid P2\n'
    for kind in ordered unordered; do
        accepts "$kind: two pids" $kind "$family" 'parent (pid 10)\nchild (pid 11) of pid 10\nparent made pid 11\n'
        accepts "$kind: the child's is smaller" $kind "$family" 'parent (pid 10)\nchild (pid 2) of pid 10\nparent made pid 2\n'
        accepts "$kind: many digits" $kind 'pid P1\npid P2\n' 'pid 99999999999999999999999\npid 99999999999999999999998\n'
        accepts "$kind: a port and a pid may be one number" $kind 'pid P1 port N1\n' 'pid 80 port 80\n'
        accepts "$kind: labels of two digits" $kind 'pid P1 pid P12 pid P2\n' 'pid 5 pid 6 pid 7\n'
        accepts "$kind: the number ends at a letter" $kind 'pid P1x\npid P1.\n' 'pid 23x\npid 23.\n'
        accepts "$kind: both streams" $kind 'pid P1\n! pid P1\n' 'pid 5\n' 'pid 5\n'
        rejects "$kind: wrong parent" $kind "$family" 'parent (pid 10)\nchild (pid 11) of pid 9\nparent made pid 11\n'
        rejects "$kind: parent is itself" $kind "$family" 'parent (pid 10)\nchild (pid 11) of pid 11\nparent made pid 11\n'
        rejects "$kind: two pids for one label" $kind 'pid P1\npid P1 again\n' 'pid 5\npid 6 again\n'
        rejects "$kind: two pids for one label in a line" $kind 'pid P1 pid P1\n' 'pid 5 pid 6\n'
        rejects "$kind: one pid for two labels" $kind 'pid P1 a\npid P2 b\n' 'pid 5 a\npid 5 b\n'
        rejects "$kind: one pid for two labels in a line" $kind 'pid P1 pid P2\n' 'pid 5 pid 5\n'
        rejects "$kind: one port for two labels" $kind 'port N1\nport N2\n' 'port 80\nport 80\n'
        rejects "$kind: two ports for one label" $kind 'port N1\nport N1\n' 'port 80\nport 81\n'
        rejects "$kind: another pid on stderr" $kind 'pid P1\n! pid P1\n' 'pid 5\n' 'pid 6\n'
        rejects "$kind: one pid for two labels on two streams" $kind 'pid P1\n! pid P2\n' 'pid 5\n' 'pid 5\n'
        rejects "$kind: swapped" $kind 'pid P1 of pid P2\npid P3 of pid P2\n' 'pid 5 of pid 6\npid 6 of pid 7\n'
        rejects "$kind: a port for a pid" $kind 'pid P1\n' 'port 80\n'
        rejects "$kind: where the number stands" $kind 'pid pid P1\n' 'pid 5pid \n'
        rejects "$kind: no digits" $kind 'pid P1\n' 'pid \n'
        rejects "$kind: the label itself" $kind 'pid P1\n' 'pid P1\n'
        rejects "$kind: a negative number" $kind 'pid P1\n' 'pid -5\n'
        rejects "$kind: text after the number" $kind 'pid P1\n' 'pid 5x\n'
    done
}

@test "labels: 0, 1 and other numbers stand for themselves" {
    for kind in ordered unordered; do
        for number in 0 1 42 007; do
            accepts "$kind: pid $number" $kind "pid $number\\npid P1\\n" "pid $number\\npid 5\\n"
            rejects "$kind: pid $number changed" $kind "pid $number\\n" 'pid 5\n'
        done
        for number in 0 1 00 01 0123; do
            rejects "$kind: a label for pid $number" $kind 'pid P1\n' "pid $number\\n"
            rejects "$kind: a label for port $number" $kind 'port N1\n' "port $number\\n"
        done
        accepts "$kind: 10 and 11 are like any other" $kind 'pid P1 pid P2\n' 'pid 10 pid 11\n'
        rejects "$kind: a number that is in the block already" $kind 'pid 42 pid P1\n' 'pid 42 pid 42\n'
        accepts "$kind: other words are no labels" $kind 'rapid P1 pid: P1 pid  P1 pid N1 port P1 PID P1\n' \
            'rapid P1 pid: P1 pid  P1 pid N1 port P1 PID P1\n'
        rejects "$kind: rapid is not pid" $kind 'rapid P1\n' 'rapid 5\n'
        rejects "$kind: numbers elsewhere" $kind 'child 5 of pid P1\n' 'child 6 of pid 7\n'
        rejects "$kind: P0 and P01 are no labels" $kind 'pid P0 pid P01\n' 'pid 5 pid 6\n'
    done
}

@test "unordered: one renaming for all lines" {
    accepts 'lines of two workers' unordered 'pid P1 a\npid P1 b\npid P2 a\npid P2 c\n' 'pid 5 c\npid 6 a\npid 5 a\npid 6 b\n'
    rejects 'b and c of one worker' unordered 'pid P1 a\npid P1 b\npid P2 a\npid P2 c\n' 'pid 5 c\npid 6 a\npid 5 a\npid 5 b\n'
    rejects 'both a of one worker' unordered 'pid P1 a\npid P1 b\npid P2 a\npid P2 c\n' 'pid 5 a\npid 5 a\npid 6 b\npid 5 c\n'
    accepts 'a ring of three' unordered 'pid P1 pid P2\npid P2 pid P3\npid P3 pid P1\n' 'pid 9 pid 7\npid 7 pid 8\npid 8 pid 9\n'
    rejects 'a ring turned round once' unordered 'pid P1 pid P2\npid P2 pid P3\npid P3 pid P1\n' 'pid 9 pid 7\npid 8 pid 7\npid 8 pid 9\n'
    accepts 'a ring of four and one of three' unordered \
        'pid P1 pid P2\npid P2 pid P3\npid P3 pid P4\npid P4 pid P1\npid P5 pid P6\npid P6 pid P7\npid P7 pid P5\n' \
        'pid 2 pid 3\npid 3 pid 4\npid 4 pid 2\npid 5 pid 6\npid 6 pid 7\npid 7 pid 8\npid 8 pid 5\n'
    rejects 'two rings of three for one of six' unordered \
        'pid P1 pid P2\npid P2 pid P3\npid P3 pid P4\npid P4 pid P5\npid P5 pid P6\npid P6 pid P1\n' \
        'pid 2 pid 3\npid 3 pid 4\npid 4 pid 2\npid 5 pid 6\npid 6 pid 7\npid 7 pid 5\n'
    accepts 'stdout and stderr' unordered 'pid P1\npid P2\n! pid P1 a\n! pid P2 b\n' 'pid 5\npid 6\n' 'pid 6 a\npid 5 b\n'
    rejects 'stdout and stderr, one pid' unordered 'pid P1\npid P2\n! pid P1 a\n! pid P2 b\n' 'pid 5\npid 6\n' 'pid 6 a\npid 6 b\n'
}

@test "unordered: 200 lines with 100 labels, alike or not, right or wrong by one pid" {
    # Each kind is 200 pairs of processes. The numbers are the labels, renamed, with their lines in
    # turned order. Twice: two networks (16 labels each, 6 neighbours each) that look the same from
    # each place; in the numbers the second one comes first.
    awk 'BEGIN {
        for (i = 0; i < 100; i++) {
            pair("ring", i, (i + 1) % 100);                     pair("ring", i, (i + 1) % 100)
            pair("alone", i, i);                                pair("alone", i, i)
            pair("couple", i, i - i % 2 + (i + 1) % 2);         pair("couple", i, i - i % 2 + (i + 1) % 2)
            pair("star", 0, i);                                 pair("star", i, 0)
            pair("tree", int((i - 1) / 2), i);                  pair("tree", i, int((i - 1) / 2))
            pair("rings", i, i - i % 5 + (i + 1) % 5);          pair("rings", i - i % 5 + (i + 1) % 5, i)
            pair("torus", i, (i + 10) % 100);                   pair("torus", i, i - i % 10 + (i + 1) % 10)
        }
        for (i = 0; i < 16; i++)
            for (j = 0; j < 16; j++) {
                down = (int(i / 4) - int(j / 4) + 4) % 4;  right = (i % 4 - j % 4 + 4) % 4
                if (i != j && (down == 0 || right == 0))
                    pair("networks", i, j)
                if (down "" right ~ /01|03|10|30|11|33/)
                    pair("networks", i + 16, j + 16)
            }
        for (k in count) {
            for (i = 1; i <= count[k]; i++)
                print "pid P" a[k, i] + 1 " to pid P" b[k, i] + 1 >(k ".labels")
            for (i = count[k]; i >= 1; i--) {
                x = 1000 + a[k, i] * 37 % 101;  y = 1000 + b[k, i] * 37 % 101
                print "pid " x " to pid " y >(k ".right")
                print "pid " x " to pid " (i == 150 ? 1000 + (b[k, i] + 1) % 100 * 37 % 101 : y) >(k ".wrong")
            }
        }
        # Each process has the same number of neighbours, but two rings of 5 have become one of 10.
        for (i = 0; i < 100; i++) {
            next_one = i < 90 ? i - i % 5 + (i + 1) % 5 : 90 + (i + 1) % 10
            print "pid " i + 50 " to pid " next_one + 50 "\npid " next_one + 50 " to pid " i + 50 >"ring10"
            # One ring of 100 looks the same from each place as two rings of 50.
            print "pid " i + 50 " to pid " i - i % 50 + (i + 1) % 50 + 50 >"halves"
            print "pid " i + 50 " to pid " i - i % 50 + (i + 1) % 50 + 50 >"halves"
        }
    }
    function pair(k, x, y) { count[k]++; a[k, count[k]] = x; b[k, count[k]] = y }'
    # judge LABELS NUMBERS STATUS: in less than a second, and with all renamings tried
    judge() {
        status=0
        timeout 1 "$MATCH" compare - unordered "$2" /dev/null 'exit 0' <"$1" >why || status=$?
        [ "$status" -eq "$3" ] && ! grep -q 'not all were tried' why || fail "$2 (exit $status)" "$(head -n 40 why)"
    }
    for kind in ring alone couple star tree rings torus networks; do
        judge $kind.labels $kind.right 0
        judge $kind.labels $kind.wrong 1
    done
    judge rings.labels ring10 1
    judge ring.labels halves 1
}

@test "Measured: numbers are not compared, the rest is" {
    for kind in ordered unordered; do
        accepts "$kind: other numbers" $kind 'Measured: 12 of 3.5 ms\n' 'Measured: 1234 of 0 ms\n'
        accepts "$kind: 0, 1 and leading zeros" $kind 'Measured: 12 5\n' 'Measured: 0 01\n'
        accepts "$kind: pids" $kind 'pid P1\nMeasured: pid 7\n' 'pid 5\nMeasured: pid 8\n'
        accepts "$kind: on stderr" $kind '! Measured: 3\n' '' 'Measured: 44.25\n'
        rejects "$kind: text" $kind 'Measured: 12 ms\n' 'Measured: 12 us\n'
        rejects "$kind: no number" $kind 'Measured: 12 ms\n' 'Measured:  ms\n'
        rejects "$kind: one number more" $kind 'Measured: 12 ms\n' 'Measured: 12 13 ms\n'
        rejects "$kind: sign" $kind 'Measured: 12 ms\n' 'Measured: -12 ms\n'
        rejects "$kind: the point alone is text" $kind 'Measured: 12.\n' 'Measured: 12\n'
        rejects "$kind: two fractions" $kind 'Measured: 1.2.3\n' 'Measured: 1.2\n'
        rejects "$kind: where the number stands" $kind 'Measured: aa1\n' 'Measured: a1a\n'
        rejects "$kind: not at the start" $kind ' Measured: 12\n' ' Measured: 13\n'
        rejects "$kind: another line" $kind 'It took: 12\n' 'It took: 13\n'
        rejects "$kind: a line more" $kind 'Measured: 12\n' 'Measured: 12\nMeasured: 12\n'
    done
}

@test "what differs is told: the line, a table, notes" {
    compare ordered 'a\nparent (pid P1)\nchild of pid P1\nend\n' 'a\nparent (pid 4711)\nchild of pid 9\nend\n'
    says 'first line' 'stdout: line 3'
    says 'label' '  parent (pid P1) | parent (pid 4711=P1)'
    says 'mark' '> child of pid P1 | child of pid 9'
    says 'after it' '  end             | end'
    compare ordered '! x\n' '' 'y\n'
    says 'stream' 'stderr: line 1'
    compare ordered 'a\nb\nc\n' 'a\nc\n'
    says 'aligned: missing' $'> b              | (missing)\n  c              | c'
    compare ordered 'a\nc\n' 'a\nb\nc\n'
    says 'aligned: extra' $'> (not expected) | b\n  c              | c'
    compare ordered 'line 1\nline 2\n' 'line 2\n'
    says 'aligned: the same line before a similar one' $'> line 1         | (missing)\n  line 2         | line 2'
    compare ordered 'a\n' '\033[1ma\0377\n'
    says 'escaped' '| \x1b[1ma\xff'
    compare ordered 'a\n' 'a  \n'
    says 'spaces at the end' '| a\x20\x20'
    compare ordered 'a\nb\n' 'a\nb'
    says 'no newline' 'the last line has no newline at its end'
    compare unordered 'a\nb\n' 'b\na'
    says 'no newline, unordered' 'the last line has no newline at its end'
    for kind in ordered unordered; do
        compare $kind 'pid P1 a\nb\n' 'pid 5 a\npid 5 a\nb\n'
        says "$kind: twice" 'this line came twice: pid 5=P1 a'
        compare $kind 'a\na\nb\n' 'a\na\nc\n'
        [[ "$output" != *twice* ]] || fail "$kind: twice was expected" "$output"
    done
    compare ordered 'pid P1 a\npid P2 b\n' 'pid 5 b\npid 6 a\n'
    says 'order' 'the same lines in another order'
    compare ordered 'pid P1 a\npid P1 b\n' 'pid 5 b\npid 6 a\n'
    [[ "$output" != *'another order'* ]] || fail 'not the same lines' "$output"
    compare ordered "$(seq 1000)\n" "$(seq 500; echo x; seq 501 1000)\n"
    says 'far down' $'  500            | 500\n> (not expected) | x\n  501            | 501'
    [ "$(wc -l <<<"$output")" -le 32 ] || fail 'bounded' "$output"
    compare ordered "$(printf '%300s' x | tr ' ' 'y')a\\n" "$(printf '%300s' x | tr ' ' 'y')b\\n"
    says 'end of a long line, expected' 'yyxa '
    says 'end of a long line, actual' 'yyxb'
    [ "$(wc -L <<<"$output")" -le 200 ] || fail 'long lines are cut' "$output"
}

@test "large and strange output is only wrong" {
    # bytes NAME: what file out holds is wrong for a block of two lines, in either kind.
    bytes() {
        for kind in ordered unordered; do
            status=0
            printf 'a\npid P1\n' | "$MATCH" compare - $kind out /dev/null 'exit 0' >why || status=$?
            [ "$status" -eq 1 ] && [ "$(wc -c <why)" -lt 8000 ] || fail "$1 (exit $status)" "$(head -c 2000 why)"
        done
    }
    [ -n "${CFLAGS-}" ] || ulimit -v 500000     # KiB; (sanitizers need more)
    yes '' | head -c 16000000 >out && bytes '16 MB of empty lines'
    head -c 4000000 /dev/zero >out && bytes 'one line of 4 MB'
    head -c 1000000 out | tr '\0' 1 >digits && { printf 'pid '; cat digits; } >out && bytes 'a pid of a million digits'
    head -c 1000000 /dev/urandom >out && bytes 'random bytes'
    yes 'pid 7 ' | head -c 1000000 | tr -d '\n' >out && bytes 'one line of pids'
    seq -f 'pid %.0f' 2 20000 >out
    sed 's/pid /pid P/' out | "$MATCH" compare - ordered out /dev/null 'exit 0'
    sed 's/pid /pid P/' out | "$MATCH" compare - unordered out /dev/null 'exit 0'
}
