# The judge's own tests: each program under tests/lib/fixtures names, in its first line, the verdict
# that it must get and words that must stand beside it.
load lib/chapter

setup_file() {
    judge_tools
}

# The verdict of one fixture. Its limit is short, so that the tests are.
fixture() {
    local file=$1 name wanted words
    name=$(basename "$file" .c)
    IFS='|' read -r wanted words < <(sed -n '1s,^/\* *\(.*\) *\*/$,\1,p' "$file")
    wanted=${wanted%% } words=${words## } words=${words%% }
    judge_stage
    gcc -std=c11 -D_GNU_SOURCE -DBOOK="\"$book\"" -pthread -w "$file" -o "$stage/at/$name"
    judge_run --time 4000 --memory 200 -- "./$name"
    local good=1
    if [[ ", $wanted," != *", $verdict,"* ]] || ! grep -qF -e "$words" <<<"$details"; then
        echo "$name: wanted \"$wanted\" with \"$words\", got \"$verdict\" with:"
        cat "$report"
        good=0
    fi
    judge_clean
    [ $good = 1 ]
}

# All at the same time: most of them wait, for a limit or to be found waiting.
@test "runner: each fixture gets its verdict, and nothing of it stays" {
    local file name failed=0
    for file in "$lib"/fixtures/*.c; do
        name=$(basename "$file" .c)
        { fixture "$file" >"$BATS_TEST_TMPDIR/$name" 2>&1 || echo failed >>"$BATS_TEST_TMPDIR/$name"; } &
    done
    wait
    for file in "$lib"/fixtures/*.c; do
        name=$(basename "$file" .c)
        if [ -s "$BATS_TEST_TMPDIR/$name" ]; then cat "$BATS_TEST_TMPDIR/$name"; failed=1; fi
        if grep -qsx "${name:0:15}" /proc/[0-9]*/comm; then echo "$name still runs"; failed=1; fi
    done
    [ ! -e /dev/shm/left ] && [ ! -e /tmp/left ] || { echo "left_files left files"; failed=1; }
    return $failed
}

@test "runner: input in pieces, each when the last was taken" {
    judge_stage
    seq 1000 >"$stage/in"
    judge_run --in "$stage/in" --feed 7 -- sh -c 'dd bs=64 count=1 2>/dev/null | wc -c; cat | wc -c'
    [ "$(tr '\n' ' ' <"$out")" = "7 3886 " ]
    judge_clean
}

@test "runner: a terminal is a terminal, and changes no byte" {
    judge_has_terminals || skip "there are no pseudo-terminals on this machine"
    judge_stage
    judge_run --pty 1 -- sh -c 'test -t 1 && echo yes; printf "a\n\tb\n"'
    [ "$(cat "$out")" = "$(printf 'yes\na\n\tb')" ]
    judge_clean
}

@test "runner: a server is waited for, its client run, the signal sent" {
    judge_stage
    judge_run --until SIGTERM --client 'echo talked to PORT' -- \
        sh -c 'trap "echo stopped; exit 3" TERM; echo "listening on port 4711"; while :; do :; done'
    [ "$end" = "exit 3" ]
    [ "$(tr '\n' ' ' <"$out")" = "listening on port 4711 talked to 4711 stopped " ]
    judge_clean
}

@test "witness: forks, waits and signals are written down, a call can be made to fail" {
    judge_stage
    cat >"$stage/at/p.c" <<'END'
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
    int ends[2];
    if (pipe(ends) == -1)
        return 7;
    pid_t pid = fork();
    if (pid == 0)
        _exit(3);
    waitpid(pid, NULL, 0);
    kill(pid, SIGTERM);
    return 0;
}
END
    gcc -D_GNU_SOURCE "$stage/at/p.c" "$tools/witness.o" -o "$stage/at/p" -ldl
    judge_run -- ./p; judge_events
    [ "$end" = "exit 0" ]
    sed 's/[0-9]\{3,\}/N/g' "$events"
    [ "$(cut -d ' ' -f 1 "$events" | sort | tr '\n' ' ')" = "exit fork kill start wait " ]
    grep -qE '^kill [0-9]+ [0-9]+ 15 reaped$' "$events"
    grep -qE '^wait [0-9]+ [0-9]+ 768$' "$events"
    judge_run --env WORKBOOK_FAIL=pipe:1 -- ./p; judge_events
    [ "$end" = "exit 7" ]
    grep -q '^failed [0-9]* pipe$' "$events"
    judge_clean
}

# verdict_of FILE: is the verdict of "judge file" one of those in the first line, with its words?
verdict_of() {
    local file=$1 wanted words said
    IFS='|' read -r wanted words < <(sed -n '1s,^/\* *\(.*\) *\*/$,\1,p' "$file")
    words=${words## } words=${words%% }
    said=$("$judge" file "$file" 2>/dev/null) || true
    case ", ${wanted%% }," in
    *", ${said%%:*},"*) [ -z "$words" ] || grep -qF -e "$words" <<<"$said" && return 0 ;;
    esac
    printf '%s: wanted "%s" with "%s", got:\n%s\n' "$(basename "$file")" "$wanted" "$words" "$said"
    return 1
}

# The wrong ones are mostly found in the first schedules; only who is not, gets all of them. Two at a time.
# bats test_tags=deep
@test "judge: each right program passes, each wrong one gets its verdict" {
    local file name
    for file in "$lib"/fixtures/schedule/*.c; do
        name=$(basename "$file")
        while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || true; done
        {
            case $name in
            *.right*) JUDGE_SCHEDULES=30 verdict_of "$file" ;;
            *) JUDGE_SCHEDULES=12 verdict_of "$file" >/dev/null || verdict_of "$file" ;;
            esac
        } >"$BATS_TEST_TMPDIR/$name" 2>&1 3>&- || echo "$name" >>"$BATS_TEST_TMPDIR/failed" &
    done
    wait
    [ ! -f "$BATS_TEST_TMPDIR/failed" ] || { while read -r name; do cat "$BATS_TEST_TMPDIR/$name"; done <"$BATS_TEST_TMPDIR/failed"; false; }
}

# bats test_tags=deep
@test "judge: a seed repeats" {
    local file first again
    make -s -C "$book/chapters/01-fork" build/parts.a
    for file in "$lib"/fixtures/schedule/{one_step_each,counter_processes,event}.*.c; do
        first=$(JUDGE_REPLAY=7 "$judge" file "$file" | sed 's/pid [0-9]*/pid/g') || true
        for _ in 1 2 3; do
            again=$(JUDGE_REPLAY=7 "$judge" file "$file" | sed 's/pid [0-9]*/pid/g') || true
            [ "$first" = "$again" ] || { echo "$file"; diff <(echo "$first") <(echo "$again"); return 1; }
        done
    done
}
