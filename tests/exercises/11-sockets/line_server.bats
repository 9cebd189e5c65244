# line_server.bats - the checks of the exercise line_server.
# shellcheck disable=SC2154,SC2034,SC2028  # variables of exercise.bash and server.bash; the \n are for the talker
load ../../lib/exercise
load ../../lib/server
load double_fork

explain() {
    case $talk_topic:$talk_kind in
    "descriptors:descriptors") echo "more descriptors are open after each client: after fork the parent closes its copy of the client, and a child leaves by _exit when its talk has ended" ;;
    *:zombies | *:descriptors | *:address | *:busy | *:refused | *:accept | *:stop | *:open | *:gone | :) false ;;
    "many lines, answers taken late:bytes" | "many lines, answers taken late:part") echo "an answer was sent only in part: send returns how many bytes it took; send the rest, too" ;;
    "many lines, answers taken late:"*) echo "the server waits until one client takes its answers; the others must get theirs meanwhile" ;;
    "a line in several packets:"* | "single bytes:"*)
        echo "one recv is not one line: it gives what has come so far, which may be a part of a line; keep it, and answer when the newline is there" ;;
    "several lines in one packet:"* | "a line and a half:"*)
        echo "what came behind the first line was lost, or taken as a part of it: one recv may give several lines; each of them gets its answer, and a beginning at the end is kept" ;;
    "any byte in a line:"*) echo "a line may hold any byte but the newline: getc gives an int (in a char the byte 255 looks like EOF), and \\r belongs to the line" ;;
    "the byte 0 in a line:"*) echo "a line may hold the byte 0, where text functions (strlen, strchr, %s) stop: count the bytes" ;;
    "the longest line:nothing" | "the longest line:part") echo "a long line gets no answer, or a part of one: read all of it before you wait again (with EPOLLET: recv until EAGAIN), and send all of the answer" ;;
    "the longest line:"*) echo "a line of exactly 1000 bytes (and its newline) is not too long" ;;
    "a line that is too long:silent") echo "it answers before the line is complete: \"too long\", too, is sent when the newline has come" ;;
    "a line that is too long:"*) echo "a line of more than 1000 bytes gets ONE answer, \"too long\", and all of it, up to its newline, is thrown away" ;;
    "a line without an end:memory") echo "it keeps all that comes without a newline: nobody may fill the server's memory; behind byte 1000 throw it away" ;;
    "a line without an end:"*) echo "a line without an end must be read and thrown away, and other clients must get their answers meanwhile" ;;
    "the end without a newline:"*) echo "what came behind the last newline is no line and gets no answer; then the server ends the connection" ;;
    "the end, answers taken late:"*) echo "the client has ended its side, but takes answers still: send all that is left, then end the connection" ;;
    "ten clients at once:"*) echo "10 clients are connected at the same time, and not each one gets its answers: at least so many must have a place, and none may wait for another one" ;;
    "several clients:bytes") echo "what one client sent comes to another one: each of them has its own beginning of a line, so nothing of it may be static or global" ;;
    "several clients:"*) echo "a client waits until another one has ended: a process (or thread, or poll) must take care of each one" ;;
    *) false ;;
    esac && return 0
    explain_server
}

# line LENGTH: so many letters
line() { printf "%$1s" '' | tr ' ' "$(tr 1-5 a-e <<<"$(random 1 5)")"; }

@test "lines, whatever the packets" {
    local word
    word=w$(random 100 999)
    local long
    long=$(line "$(random 300 700)")
    cat >script <<END
# listening
local
# a line in several packets
open a
send a $word is
settle
send a  not all
silent a
send a \n
expect a $((${#word} + 11)) $word is not all\n
# single bytes
pieces a 1 one\n\ntwo
expect a 3 one\n0 \n
send a \n
expect a 3 two\n
# several lines in one packet
send a a\nbb\n\nccc\n
expect a 1 a\n2 bb\n0 \n3 ccc\n
# a line and a half
send a whole\nha
expect a 5 whole\n
silent a
send a lf\n
expect a 4 half\n
# the byte 0 in a line
send a x\0y\nz\n
expect a 3 x\0y\n1 z\n
# any byte in a line
send a \xff\xfe\x80 \x01\r\n\r\n
expect a 6 \xff\xfe\x80 \x01\r\n1 \r\n
# the end without a newline
send a $long\nno newline
half a
expect a ${#long} $long\n
eof a
END
    serve script 0
}

@test "clients that come, stay and go" {
    local i port
    # The first server ends its connections by itself, so they stay known to the kernel; the second wants the same port.
    {
        cat <<END
# several clients
open a
open b
send a half a li
send b I am b\n
expect b 6 I am b\n
open c
send c and c\n
expect c 5 and c\n
send a ne\n
expect a 11 half a line\n
half c
eof c
END
        # with a and b; several times, since several must end before the server looks at one of them
        for _ in 1 2 3 4 5 6; do
            echo "# ten clients at once"
            for i in {0..7}; do printf 'open t%d\nsend t%d I am\n' "$i" "$i"; done
            for i in {7..0}; do printf 'send t%d  %d\\n\nexpect t%d 6 I am %d\\n\n' "$i" "$i" "$i" "$i"; done
            echo freeze
            for i in {0..7}; do printf 'close t%d\n' "$i"; done
            printf 'thaw\n# children that have ended\n%s\nchildren\n' "$a_moment"
        done
        cat <<END
# descriptors
mark
END
        for i in 1 2 3 4 5 6; do
            printf 'open d\nsend d client %d\\n\nexpect d 8 client %d\\n\nhalf d\neof d\nclose d\nsettle\n' "$i" "$i"
        done
        cat <<END
$a_moment
children
level 3
# a client that goes without a word
open d
freeze
send d *50 never mind\n
close d
thaw
settle
open d
send d *300 nor me\n
reset d
settle
open e
reset e
settle
END
        for i in 1 2 3 4; do printf 'open e\nsend e begun\nsettle\nreset e\nsettle\n'; done
        cat <<END
send b still there?\n
expect b 12 still there?\n
$a_moment
children
level 3
# the end, with clients that stay
stop
over a
END
    } >script
    printf '# the same port again\nopen a\nsend a hello\\n\nexpect a 5 hello\\n\n' >again
    port=$(free_port)
    JUDGE_PLAIN=1 serve script "$port"
    serve again "$port"
}

@test "a limit for a line, and for one that has no end" {
    local over
    over=$(random 1001 1999)
    cat >script <<END
# the longest line
open a
send a *1000 m
send a \nnext\n
expect a 1000 
expect a *1000 m
expect a \n4 next\n
# a line that is too long
send a *1001 n
send a \nnext\n
expect a too long\n4 next\n
send a *$over o
silent a
send a *3000 o
send a \nafter it\n\n
expect a too long\n8 after it\n0 \n
# a line without an end
open b
send b x
settle
mark
pieces b 100000 *2500000 x
send a hello\n
expect a 5 hello\n
memory 1
close b
# many lines, answers taken late
deaf a
queue a *12000 to be answered\n
settle
open c
send c good morning\n
expect c 12 good morning\n
hear a
expect a *12000 14 to be answered\n
# the end, answers taken late
deaf c
send c *60000 \n
half c
settle
send a still there?\n
expect a 12 still there?\n
hear c
expect c *60000 0 \n
eof c
half a
eof a
END
    serve script 0
}
