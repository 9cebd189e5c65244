# picture_farm.bats - the checks of the exercise picture_farm.
# shellcheck disable=SC2154,SC2034  # variables of exercise.bash, and those that explain() sees
load ../../lib/exercise
load workers

# ---- the pictures: made in ./from, what must become of them in ./to; copied to where the answer runs ----

begin_folder() { rm -rf from to "$stage/at/from"; mkdir from to; : >others; good=() old=() unreadable=() unwritable=() w=$1; }

# picture NAME COMMENT WIDTH HEIGHT MAX
picture() {
    awk -v w="$3" -v h="$4" -v max="$5" -v head="P5\\\\n$2" -v state="$(random 1 1000000)" '
        BEGIN {
            for (i = 0; i < w * h; i++) {
                state = (state * 69069 + 1) % 1048576
                v = i == 0 ? 0 : i == 1 ? 10 : int(state / 1048576 * (max + 1))
                one = one sprintf("\\0%03o", v); other = other sprintf("\\0%03o", max - v)
            }
            printf "%s%d %d\\n%d\\n%s\n%s%d %d\\n%d\\n%s\n", head, w, h, max, one, head, w, h, max, other
        }' >escaped
    { read -r one; read -r other; } <escaped
    printf %b "$one" >"from/$1"
    printf %b "$other" >"to/$1"
    good+=("$1")
}
plain() { picture "$1" "" "$(random 1 9)" "$(random 2 5)" "$(random 200 255)"; }
slow() { picture "$1" "# slow $2\\\\n" "$(random 1 9)" "$(random 2 5)" 255; }

# Each run begins with the folders as they were.
before_each_run() {
    [ -d "$stage/inputs/from" ] || return 0
    if [ ! -d "$stage/at/from" ]; then
        cp -RP "$stage/inputs/from" "$stage/at/"
        for name in "${unreadable[@]}"; do chmod 000 "$stage/at/from/$name"; done
    fi
    rm -rf "$stage/at/to"
    mkdir "$stage/at/to"
    for name in "${unwritable[@]}"; do mkdir "$stage/at/to/$name"; done
    for name in "${old[@]}"; do
        printf '%999s' old >"$stage/at/to/$name"
        chmod 666 "$stage/at/to/$name"
    done
}

# What the answer did with the files is told in $details, one line each, and is a wrong output.
eval "fileless_$(declare -f judge_compare)"
judge_compare() {
    local said='' at=$stage/at name taken
    declare -A taken
    fileless_judge_compare "$@"
    if [ -f "$at/to/log.txt" ]; then
        while read -r name; do taken[$name]=$((${taken[$name]:-0} + 1)); done <"$at/to/log.txt"
    fi
    for name in "${!taken[@]}"; do
        [ "${taken[$name]}" -lt 2 ] || said+="$name was taken ${taken[$name]} times"$'\n'
    done
    details+=$said
    [ "$verdict" = pass ] || return 0
    if ! cat "${good[@]/#/$at/to/}" /dev/null 2>/dev/null | cmp -s - all_to; then
        for name in "${good[@]}"; do
            cmp -s "to/$name" "$at/to/$name" || said+="$(compare_picture "$name")"$'\n'
        done
    fi
    for name in "$at/to"/*; do
        name=${name##*/}
        case " ${good[*]} ${unwritable[*]} log.txt * " in
        *" $name "*) ;;
        *) said+="the file to/$name was made"$'\n' ;;
        esac
    done
    for name in from/*.pgm; do
        [ "$name" = "from/*.pgm" ] || [ -n "${taken[${name#from/}]:-}" ] || said+="$name was not opened with open_picture()"$'\n'
    done
    if [ -z "$said" ]; then
        # (the plain run tells)
        if [ ! -d "$stage/again" ] && { [ "$(cd "$at/from" && echo *)" != "$(cd from && echo *)" ] ||
            ! cat "${good[@]/#/$at/from/}" /dev/null 2>/dev/null | cmp -s - all_from; }; then
            said+="something in the folder from was changed"$'\n'
        fi
        if [ ! -d "$stage/again" ] && [ ${#good[@]} -gt 0 ] && stat -c %a "${good[@]/#/$at/to/}" | grep -qvx '644\|666'; then
            said+="$(cd "$at" && stat -c '%n has the mode %a' "${good[@]/#/to/}" | grep -m 1 -v '644$\|666$')"$'\n'
        fi
    fi
    if [ -n "$said" ]; then verdict="wrong output" details+=$said; fi
}

# How is to/NAME wrong?
compare_picture() {
    local is should="to/$1" got=$stage/at/to/$1
    is=$(stat -c %s "$got" 2>/dev/null)
    if [ -z "$is" ]; then echo "to/$1 is not there"
    elif [ "$is" -ne "$(stat -c %s "$should")" ]; then echo "to/$1 has $is bytes, not $(stat -c %s "$should")"
    elif cmp -s "from/$1" "$got"; then echo "to/$1 is not inverted"
    else echo "to/$1 has other bytes"
    fi
}

say_own="each picture is taken by one worker: looking which one is next and taking it must be ONE step (a read of a pipe that main fills, an atomic_fetch_add, or a lock around both), or main says who takes which"
say_exit="a worker went on in main's code: end each worker with _exit"
say_mixed="when two workers write to the same pipe, pieces of two answers may mix (not each time): an answer must be one write, of one struct for example (or each worker has its own pipe)"

# Was a picture taken twice? (A deadlock was found in a run of its own: its log is still there.)
taken_twice() {
    grep -m 1 'was taken' <<<"$details" ||
        sort "${at:-$stage/at}/to/log.txt" 2>/dev/null | uniq -cd | awk 'NR == 1 { print $2 " was taken " $1 " times"; found = 1 } END { exit !found }'
}

# Has a worker ended with an error?
worker_failed() {
    awk -v first="$(first_process)" '$1 == "exit" && $2 != first && $3 != 0 { found = 1 } END { exit !found }' "$events"
}

# In the order of how much each says.
explain_files() {
    local twice
    twice=$(taken_twice) || twice=
    if [ -n "$twice" ]; then
        echo "$twice: $say_own"
    elif grep -q '^the file to/.* was made' <<<"$details"; then
        echo "a file was made in TO for what is no picture: make TO/NAME only when invert() has said that the picture is good"
    elif grep -q 'was not opened' <<<"$details" && grep -q 'is not there\|bytes, not' <<<"$details"; then
        echo "a picture was never taken: give out the last ones, too; and a pipe has no borders between messages, so one read may bring several names: send records of one size"
    elif [ -n "$short" ] && grep -q 'has .* bytes, not\|other bytes' <<<"$details"; then
        echo "a picture is cut, or holds rubbish: here a write() or read() takes only some of the bytes (a short count); go on until all are there, as write_full and read_full do"
    elif grep -q 'has .* bytes, not' <<<"$details"; then
        echo "a picture has the wrong size in TO: write exactly as many bytes as were read, and empty an old file (O_TRUNC)"
    elif grep -q 'is not there' <<<"$details"; then
        echo "a picture is missing in TO: was each one taken, and was the file made under its own name?"
    elif grep -q 'was not opened' <<<"$details"; then
        echo "each picture is opened with open_picture(), and only once"
    elif grep -q 'is not inverted\|other bytes' <<<"$details"; then
        echo "a picture has wrong bytes in TO: call invert() once for each picture, with all its bytes, and write what it made of them"
    elif grep -q 'has the mode' <<<"$details"; then
        echo "a file in TO cannot be read by everybody: with O_CREAT open needs the mode, 0666, as its third argument"
    elif grep -q 'was changed' <<<"$details"; then
        echo "nothing in the folder FROM may be changed"
    fi
}

explain_lines() {
    local wanted got broken
    wanted=$(grep -c ':' "$want") got=$(grep -c ':' "$out")
    if went_on; then
        echo "$say_exit"
    elif [ "$(count_events fork)" -eq 0 ] && [ "$wanted" -gt 0 ]; then
        echo "no worker was started"
    elif taken_twice >/dev/null; then
        explain_files
    elif [ "$kind" = many ] && { [ "$(grep -c 'cannot be \(read\|written\)' "$out")" -gt 1 ] || grep -q 'Too many open files' "$err"; }; then
        echo "after some pictures no file can be opened any more: a process has only so many descriptors (here 20), so close what you open for a picture, whatever its outcome is"
    elif [ -n "$short" ] && ! cmp -s "$out" <(grep -v '^exit' "$want"); then
        echo "here a read() or write() takes only some of the bytes (a short count): go on until all are there, as write_full and read_full do"
    elif [ "$kind" = bad ] && worker_failed; then
        echo "one bad picture ended a worker, or all: what goes wrong with one picture is its outcome, which goes to main; check() is for what ends everything"
    elif cmp -s <(sort "$out") <(grep -v '^exit' "$want" | sort); then
        echo "all lines are right, but not in the order of the names: a slow picture comes late. Keep the outcomes until all are there"
    elif grep -q '^failed .* schedules' <<<"$details" || writes_twice; then
        echo "$say_mixed"
    elif [ -n "$(sort "$out" | uniq -d)" ]; then
        echo "a line was printed twice: print in main only, or with say(), since fork copies printf's buffer; and end each worker with _exit"
    elif [ "$got" -lt "$wanted" ]; then
        echo "the lines of $((wanted - got)) pictures are missing: a pipe has no borders between messages; send records of one size, and take as many answers as there are pictures"
    elif [ "$kind" = bad ] && [ "$got" -eq "$wanted" ] && ! grep ':' "$out" | grep -qv ': inverted$'; then
        echo "every picture is told as inverted: a worker has its own copy of every variable, so main sees an outcome only if it is sent, or in memory from share(); and a call that fails must make it another one"
    elif grep -qvxFf <(grep ':' "$want") <(grep ':' "$out"); then
        broken=$(grep -vxFf <(grep ':' "$want") <(grep ':' "$out") | head -n 1)
        if [ "$kind" != bad ] && grep -q 'cannot be written' <<<"$broken"; then
            echo "\"$broken\": open TO/NAME, not a file of the folder FROM, with O_WRONLY | O_CREAT | O_TRUNC and the mode 0666"
        elif grep -q 'inverted' <<<"$broken" && [ "$kind" = bad ]; then
            echo "\"$broken\": that is not so; look at what open_picture(), read(), invert() and write() return"
        else
            echo "\"$broken\": an outcome stands beside the wrong name, or is the wrong one: send the number of the picture with its outcome"
        fi
    elif [ "$got" -eq "$wanted" ]; then
        echo "the lines of the pictures are right; the last one tells how many were inverted: main must count the outcomes that it is told"
    fi
}

explain_hang() {
    local ends
    ends=$(whose_end)
    if went_on; then
        echo "$say_exit"
    elif [ "$(forked)" -eq 0 ]; then
        echo "no worker was started"
    elif taken_twice >/dev/null; then
        explain_files
    elif [ "$kind" = bad ] && worker_failed; then
        echo "one bad picture ended a worker, and main waits for what it had: what goes wrong with one picture is its outcome; check() is for what ends everything"
    elif waits_for_others; then
        if [ "$(forked)" -lt "$w" ]; then
            echo "a slow picture waits for others, but only $(forked) of $w workers were started: start all of them before main does anything else"
        else
            echo "a picture was not inverted, since its worker has a slow one, or everybody waits for that: whichever worker is free takes the next picture (no rounds, no plan, no turns)"
        fi
    elif [ -n "$ends" ]; then
        echo "$ends"
    fi
}

explain() {
    case $verdict in
    hang | deadlock) explain_hang ;;
    "left behind")
        if went_on; then echo "$say_exit"
        elif only_memory; then :
        else echo "each worker must be waited for: call waitpid once for each"; fi ;;
    "over the limit") echo "processes without end: end each worker with _exit, and fork only W times" ;;
    "wrong exit status")
        if [ "$kind" = bad ]; then echo "the exit code is 1 when a picture could not be inverted, 0 when all were"
        else echo "the exit code is 0 when all were inverted"; fi ;;
    crash) if writes_twice; then echo "$say_mixed"; fi ;;
    "wrong output")
        if went_on; then echo "$say_exit"
        elif cmp -s "$out" <(grep -v '^exit' "$want"); then explain_files
        else explain_lines; fi ;;
    esac
    return 0
}

explain_deadlock() { explain_hang; }
explain_race() { echo "two workers look at the same memory at the same time, and may take the same picture: $say_own"; }

# judge_farm: the pictures in ./from; those in good must become those in ./to, the others have lines in ./others.
judge_farm() {
    cat "${good[@]/#/to/}" /dev/null >all_to
    cat "${good[@]/#/from/}" /dev/null >all_from
    run_answer "$w" from to
    if ! others_forked && [ "$(forked)" -gt "$w" ]; then
        fail_with "wrong call" "$(forked) processes were forked for $w workers: fork W workers, once; a worker stays, and takes the next picture when it has done one"
    fi
    {
        { cat others; printf '%s: inverted\n' "${good[@]}"; } | grep -v '^:' | LC_ALL=C sort
        echo "${#good[@]} of $(find from -name '*.pgm' | wc -l) pictures inverted"
        [ ! -s others ] || echo "exit 1"
    } | expect
    expect_no_kill
    if others_forked; then fail_with "wrong call" "a worker has forked: main forks all the workers"; fi
}

@test "some pictures" {
    kind=plain
    begin_folder "$(random 3 4)"
    for ((i = 1; i <= w + 2; i++)); do plain "p$i$(random 10 99).pgm"; done
    old=("${good[1]}")
    echo "no picture" >from/notes.txt
    judge_farm
    expect_parallel "$w"
}

@test "slow pictures" {
    # the first one waits for all the others
    kind=slow
    count=$(random 4 6)
    begin_folder 2
    slow "a$(random 10 99).pgm" $((count - 1))
    for ((i = 1; i < count; i++)); do plain "p$i$(random 10 99).pgm"; done
    judge_farm
    # two wait; the third worker does the rest
    begin_folder 3
    slow "b$(random 10 99).pgm" 2
    plain c.pgm
    slow d.pgm 3
    for i in 1 2 3 4; do plain "e$(random 10 99)$i.pgm"; done
    judge_farm
}

@test "bad pictures among good ones" {
    kind=bad
    begin_folder "$(random 2 3)"
    plain a.pgm
    unreadable=(b.pgm) unwritable=(f.pgm)
    cp from/a.pgm from/b.pgm
    mkdir from/c.pgm
    head -c $(($(stat -c %s from/a.pgm) - 1)) from/a.pgm >from/d.pgm
    ln -s nowhere from/e.pgm
    cp from/a.pgm from/f.pgm
    echo "P2 1 1 255 7" >from/g.pgm
    plain "h$(random 10 99).pgm"
    plain i.pgm
    printf '%s.pgm: cannot be read\n' b c e >others
    printf '%s.pgm: is no picture\n' d g >>others
    echo "f.pgm: cannot be written" >>others
    judge_farm
}

@test "many pictures, a large one, short counts" {
    kind=many
    begin_folder 2
    plain a.pgm
    good+=({10..60}.pgm)
    tee from/{10..60}.pgm <from/a.pgm >copied
    tee to/{10..60}.pgm <to/a.pgm >copied
    {
        printf 'P5\n400 300\n255\n'
        awk 'BEGIN { for (i = 0; i < 1200; i++) for (j = 0; j < 100; j++) printf "%c", 33 + (i * 7 + j) % 90 }'
    } >from/large.pgm
    {
        printf 'P5\n400 300\n255\n'
        tail -c 120000 from/large.pgm | LC_ALL=C tr '\041-\172' "$(for ((i = 222; i >= 133; i--)); do printf '\\%o' $i; done)"
    } >to/large.pgm
    good+=(large.pgm)
    short=files files=20
    JUDGE_PLAIN=1 judge_farm
}

@test "fewer pictures than workers, none" {
    kind=few
    begin_folder "$(random 4 6)"
    plain a.pgm
    plain b.pgm
    judge_farm
    begin_folder "$(random 2 3)"
    judge_farm
}
