# chat_room.bats - the checks of the exercise chat_room.
# shellcheck disable=SC2154,SC2034,SC2028  # variables of exercise.bash and server.bash; the \n are for the talker
load ../../lib/exercise
load ../../lib/server
room=0

say_slow="the server waits until one client takes its lines; send with MSG_DONTWAIT, keep what was not taken for that client alone, and go on with the others"

explain() {
    case $talk_topic:$talk_kind in
    "a client that takes nothing:descriptors") echo "a client that takes nothing is kept for ever: when more than 100000 bytes wait for it, put it out (close), or it fills the memory" ;;
    "a client that takes nothing:memory") echo "what waits for a client that takes nothing fills the memory: it needs a limit" ;;
    "a client that goes:descriptors") echo "clients that have gone are kept: recv gives 0 at the end of a client, and an error after a reset; then close its descriptor, and forget it" ;;
    "a client that goes:busy") echo "clients that have gone are kept: poll tells of their end again and again; recv gives 0: close the descriptor, and forget it" ;;
    "a client that goes:open") echo "clients that have gone are kept: recv gives 0 at the end of a client: close its descriptor" ;;
    "a line that is too long:descriptors") echo "clients that have gone are kept, or those that were put out: close the descriptor, and forget the client" ;;
    *:zombies | *:descriptors | *:busy | *:refused | *:accept | *:stop | *:gone | *:name | :) false ;;
    "coming in:"*) echo "each client gets the line \"welcome\" when it has come in, and nobody else gets it" ;;
    "a line for all the others:silent") echo "a line goes to all the others, not back to the one who said it" ;;
    "a line for all the others:nothing") echo "a line goes to all the others who are in the room, as soon as it is complete" ;;
    "a line for all the others:"*) echo "a line goes to the others whole, whatever bytes it holds: count them; strlen, strchr and %s end at a zero byte" ;;
    "a line in several pieces:"*)
        echo "one recv is not one line: only complete lines go to the others; keep a beginning, for each client, until its newline is there" ;;
    "two lines that are begun at the same time:"*) echo "lines of two clients are mixed: each client needs a buffer of its own for the line that it has begun" ;;
    "several lines in one piece:"*) echo "one recv may give several lines, and the beginning of one more: none of them may be lost" ;;
    "a client that takes its lines late:reset" | "a client that takes its lines late:end") echo "a client was put out too early: at least 100 lines must be kept for one that takes them late" ;;
    "a client that takes its lines late:nothing" | "a client that takes its lines late:part" | "a client that takes nothing:nothing" | "a client that takes nothing:part" | "a client that takes nothing:reading")
        echo "$say_slow" ;;
    "a client that takes its lines late:"*) echo "lines that were kept for a client must come whole, and in their order" ;;
    "a client that takes nothing:"*) echo "what one client gets must be whole lines in their order: a new line goes behind what waits for that client" ;;
    "a line that is too long:open" | "a line that is too long:memory") echo "a line has 500 bytes at most: who sends more without a newline is put out, at once" ;;
    "a line that is too long:"*) echo "a line of up to 500 bytes goes to the others; nobody hears anything of a longer one, and only who said it is put out" ;;
    "a client that goes:"*) echo "a client that goes away must not harm the others; and a line that it has begun is no line" ;;
    *) false ;;
    esac || explain_server
}

# lines FROM TO: made from the seed, each of some length.
lines() {
    awk -v state="$(random 1 1000000)" -v from="$1" -v to="$2" -v longest="$3" 'BEGIN {
        for (i = from; i <= to; i++) {
            state = (state * 69069 + 1) % 1048576
            text = "line " i
            for (n = 10 + state % (longest - 30); length(text) < n; ) text = text " " substr("the quick brown fox jumps over it", 1 + state % 20, 5 + n % 9)
            print substr(text, 1, n)
        }
    }'
}

@test "lines to all the others" {
    local word
    word=w$(random 100 999)
    lines 1 40 200 >some
    cat >script <<END
# coming in
open a
expect a welcome\n
open b
expect b welcome\n
open c
expect c welcome\n
silent a
# a line for all the others
send a $word\n
expect b $word\n
expect c $word\n
silent a
send c hi \0 there\n
expect a hi \0 there\n
expect b hi \0 there\n
silent c
# a line in several pieces
send a it is $word
settle
silent b
send a  again\n
expect b it is $word again\n
expect c it is $word again\n
pieces b 1 by\ntes
expect a by\n
expect c by\n
silent a
send b \n
expect a tes\n
expect c tes\n
# two lines that are begun at the same time
send a one
settle
send b two
settle
send c three\n
expect a three\n
expect b three\n
send b  and two\n
expect a two and two\n
expect c two and two\n
send a  and one\n
expect b one and one\n
expect c one and one\n
# several lines in one piece
send c x\n\n
expect a x\n\n
expect b x\n\n
send a @some
send a not yet
expect b @some
expect c @some
silent b
send a , but now\n
expect b not yet, but now\n
expect c not yet, but now\n
# a line that is too long
send a *500 x
send a \n
expect b *500 x
expect b \n
expect c *500 x
expect c \n
send b begun
settle
mark
open d
expect d welcome\n
send d *501 y
over d
settle
open e
expect e welcome\n
queue e *3000000 z
over e
memory 3
level 0
send b  and ended\n
expect a begun and ended\n
expect c begun and ended\n
# a client that goes
half c
eof c
END
    serve --at room script room
}

@test "clients that are slow, and clients that go" {
    local i
    lines 1 100 400 >hundred
    {
        echo "# coming in"
        for i in a b; do printf 'open %s\nexpect %s welcome\\n\n' $i $i; done
        cat <<END
mark
open c
expect c welcome\n
# a client that takes its lines late
deaf c
END
        for i in 1 2 3 4; do
            sed -n "$((i * 25 - 24)),$((i * 25))p" hundred >"part$i"
            printf 'send a @part%d\nexpect b @part%d\n' "$i" "$i"
        done
        cat <<END
hear c
expect c @hundred
# a client that takes nothing
deaf c
END
        for ((i = 1; i <= 5; i++)); do printf 'send a @flood\nexpect b @flood\n'; done
        # c takes some of what the kernel holds: there is room, but what waits in the server comes first
        printf '%s\n' freeze 'hear c' 'send a one more\n' 'send a and another one\n' 'deaf c' thaw
        printf 'expect b one more\\nand another one\\n\n'
        for ((i = 1; i <= 55; i++)); do printf 'send a @flood\nexpect b @flood\n'; done
        cat <<END
level 0
send b still there?\n
expect a still there?\n
hear c
prefix c @all
close c
# a client that goes
END
        for i in 1 2 3; do printf 'open d\nexpect d welcome\\n\nsend d begun\nclose d\nsettle\n'; done
        for i in 1 2 3; do printf 'open d\nexpect d welcome\\n\nhalf d\neof d\nclose d\nsettle\n'; done
        cat <<END
level 0
open d
expect d welcome\n
freeze
send a @hundred
close d
thaw
expect b @hundred
send b hello, a\n
expect a hello, a\n
open d
expect d welcome\n
freeze
send d last words\n
close d
thaw
expect a last words\n
expect b last words\n
END
        for i in d e f g h i j k; do printf 'open %s\nexpect %s welcome\\n\n' $i $i; done
        printf 'send a hello, all\\n\n'
        for i in b d e f g h i j k; do printf 'expect %s hello, all\\n\n' $i; done
        for i in d e f g h i j k; do printf 'close %s\n' $i; done
        cat <<END
level 0
children
# the end, with clients that stay
stop
over a
over b
END
    } >script
    lines 1 50 480 >flood
    {
        for ((i = 1; i <= 5; i++)); do cat flood; done
        printf 'one more\nand another one\n'
        for ((i = 1; i <= 55; i++)); do cat flood; done
    } >all
    serve --at room script room
}
