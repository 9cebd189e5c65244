# The prose is tested too: tests/lib/prose reads the pages and the comments of the programs.
# First the real ones; then small made-up ones, to see that each rule is kept and each wrong page is caught.

setup_file() {              # the pages run the programs: have them built
    local makefile
    for makefile in "$BATS_TEST_DIRNAME"/../chapters/*/Makefile; do
        env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$(dirname "$makefile")" >/dev/null 2>&1 || true
    done                    # what does not build does not print either: its page says so below
}

setup() {
    prose=$BATS_TEST_DIRNAME/lib/prose
    cd "$BATS_TEST_DIRNAME/.." || return 1
}

# A book of one chapter and a half in the test's own directory; PAGE is its page of chapter 01.
made_up_book() {
    cd "$BATS_TEST_TMPDIR" || return 1
    mkdir -p 01-one 02-two
    program first "nothing before it" >01-one/first.c
    program second "first.c" >01-one/second.c
    program third "01-one/second.c, 01-one/first" >02-two/third.c
    printf '# Two\n\n## third.c: the third\n' >02-two/README.md
    page=01-one/README.md
    cat >"$page" <<'END'
# One page, two programs

See [the second](second.c), [its heading](#secondc-what-comes-after) and [two](../02-two/README.md#thirdc-the-third).

```c first.c
int main(void)
{
```

```console
$ echo 'parent (pid 4711): my child is pid 4712'; echo 'child (pid 4712): pid 0 is nobody' >&2
parent (pid 20): my child is pid 30
child (pid 30): pid 0 is nobody
$ echo end; exit 3
end
$ echo "Measured: $(date +%s%N) ns, port $$, port 80$$"
Measured: 1.5 ns, port 4, port 5
```

## second.c: what comes after

```sh
make && make run
```
END
}

program() {                 # program NAME NEEDS
    printf '/* %s.c - made up.\n   Calls:  none\n   Needs:  %s\n   Try:    Nothing. */\n' "$1" "$2"
    printf 'int main(void)\n{\n    return 0;\n}\n\n/* Output:\n*/\n'
}

check_book() {              # also leaves what was found in $output and $status, as bats does
    run "$prose" 01-one/README.md 02-two/README.md 01-one/*.c 02-two/*.c
}

finds() {                   # finds WORDS...: the book is wrong, this is said about it, a line each, and no more
    local words right=1
    check_book
    [ "$status" -eq 1 ] && [ "${#lines[@]}" -eq $# ] || right=0
    for words in "$@"; do
        [[ $output == *"$words"* ]] || right=0
    done
    printf 'expected: %s\n' "$@"
    printf 'found: %s\n' "$output"
    [ "$right" -eq 1 ]
}

@test "the pages are true" {
    mapfile -t pages < <(find README.md docs tests chapters -name '*.md' | sort)
    run "$prose" "${pages[@]}"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "each program's comments are whole, and its Needs come earlier" {
    run "$prose" chapters/*/*.c
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "each program has its line in docs/python-to-c.md" {
    local program missing=0
    for program in chapters/*/*.c; do
        [ -f "${program%.c}.h" ] || grep -qF "](../$program)" docs/python-to-c.md || { echo "$program"; missing=1; }
    done
    [ "$missing" -eq 0 ]
}

@test "a right book: nothing is found" {
    made_up_book
    check_book
    echo "$output"
    [ "$status" -eq 0 ] && [ -z "$output" ]
}

@test "a listing that is not in its file" {
    made_up_book
    sed -i 's/^int main(void)$/int main()/' "$page"
    finds "README.md:5: these lines do not stand in first.c"
}

@test "a listing that leaves a line out" {
    made_up_book
    sed -i '7s/.*/    return 0;/' "$page"
    finds "README.md:5: these lines do not stand in first.c"
}

@test "a listing of half a line, of a missing file, and without a file" {
    made_up_book
    sed -i 's/^int main(void)$/main(void)/' "$page"
    finds "README.md:5: these lines do not stand in first.c"
    made_up_book
    sed -i '5s/first.c/fist.c/' "$page"
    finds "README.md:5: a listing of fist.c, but there is no such file" "does not teach first.c" "Needs: first:"
    made_up_book
    sed -i '5s/ first.c//' "$page"
    finds "README.md:5: a C listing without the name of its file" "does not teach first.c" "Needs: first:"
}

@test "a command that prints something else, less, or more" {
    made_up_book
    sed -i 's/^end$/END/' "$page"
    finds 'README.md:15: "echo end; exit 3" printed "end", but the page says "END"'
    made_up_book
    sed -i 's/^end$/&\nmore/' "$page"
    finds 'README.md:16: "echo end; exit 3" printed "<end>", but the page says "more"'
    made_up_book
    sed -i '/^end$/d' "$page"
    finds 'README.md:15: "echo end; exit 3" printed "end", but the page says "<end>"'
}

@test "pids: one name for two processes, two names for one, and pid 0 renamed" {
    made_up_book
    sed -i 's/pid 30/pid 20/' "$page"
    finds "README.md:12: "
    made_up_book
    sed -i 's/^child (pid 30)/child (pid 40)/' "$page"
    finds "README.md:13: "
    made_up_book
    sed -i 's/: pid 0 is nobody$/: pid 7 is nobody/' "$page"
    finds "README.md:13: "
}

@test "dead links: a file, a heading here, a heading there, a web address" {
    made_up_book
    sed -i 's/(second.c)/(secnd.c)/' "$page"
    finds "README.md:3: dead link: secnd.c"
    made_up_book
    sed -i 's/(#secondc-/(#second-/' "$page"
    finds "README.md:3: dead link: no heading for #second-what-comes-after in 01-one/README.md"
    made_up_book
    sed -i 's/#thirdc-/#thirdcc-/' "$page"
    finds "README.md:3: dead link: no heading for #thirdcc-the-third"
    made_up_book
    sed -i 's|(second.c)|(https:/man7.org)|' "$page"
    finds "README.md:3: not a web address: https:/man7.org"
}

@test "sh commands that sh cannot read, an unknown kind of listing, a fence left open" {
    made_up_book
    sed -i 's/^make && make run$/make \&\& (make run/' "$page"
    finds "README.md:22: sh cannot read these commands"
    made_up_book
    sed -i '22s/sh$//' "$page"
    finds "README.md:22: what kind of listing is this?"
    made_up_book
    sed -i '$d' "$page"
    finds "README.md:22: this fence is never closed"
}

@test "spaces at the end, a tab, a path of somebody's machine" {
    made_up_book
    sed -i '3s/$/ /' "$page"
    finds "README.md:3: spaces at the end of the line"
    made_up_book
    sed -i '3s/ /\t/' "$page"
    finds "README.md:3: a tab"
    made_up_book
    sed -i '3s|$| See /home/somebody/book.|' "$page"
    finds "README.md:3: not for readers"
}

@test "Needs: a later program, a later chapter, a program that is not there, none at all" {
    made_up_book
    program first "second.c" >01-one/first.c
    finds "01-one/first.c:3: Needs: second: it is not taught before this program"
    made_up_book
    program second "first.c, 02-two/third" >01-one/second.c
    finds "01-one/second.c:3: Needs: 02-two/third: its chapter comes later"
    made_up_book
    program second "first.c, fourth.c" >01-one/second.c
    finds "01-one/second.c:3: Needs: fourth: there is no such program"
    made_up_book
    sed -i '/Needs/d' 01-one/second.c
    finds "01-one/second.c:1: the head comment has no Needs:"
}

@test "a head comment that is too long, or lacks Calls or Try; no Output; a program that no page teaches" {
    made_up_book
    sed -i '2s/$/\n\n\n\n\n\n\n\n\n/' 01-one/second.c
    finds "01-one/second.c:13: the head comment has more than 12 lines"
    made_up_book
    sed -i 's/Calls:/Uses: /' 01-one/second.c
    finds "01-one/second.c:1: the head comment has no Calls:"
    made_up_book
    sed -i 's/   Try:.*/*\//' 01-one/second.c
    finds "01-one/second.c:1: the head comment has no Try:"
    made_up_book
    sed -i 's/Output:/Prints:/' 01-one/second.c
    finds "no Output block"
    made_up_book
    sed -i 's/^## .*/## What comes after/; s/#secondc-/#/' "$page"
    finds "01-one/second.c:3: 01-one/README.md does not teach second.c"
}
