# file_server.bats - the checks of the exercise file_server.
# shellcheck disable=SC2154,SC2034,SC2028  # variables of exercise.bash and server.bash; the \n are for the talker
load ../../lib/exercise
load ../../lib/server
load double_fork

say_outside="it sends what lies outside of the folder: refuse every name with a / in it, whatever stands before it"

explain() {
    case $talk_topic:$talk_kind in
    "a client that goes in the middle of a file:descriptors" | "all files again and again:descriptors") echo "a file stays open after each request: close it on every way out, also when the answer is none, or the client has gone" ;;
    *:zombies | *:descriptors | *:busy | *:refused | *:accept | *:stop | *:open | *:gone | :) false ;;
    "names in packets:"*) echo "one recv is not one name: it gives what has come so far, a part of a name or several; keep a beginning until its newline is there" ;;
    "a file:"* | "an empty file:"*) echo "the answer is the size in decimal, a newline, and the bytes of the file" ;;
    "a binary file:"*) echo "a file holds any bytes, the byte 0 too, where text functions (strlen, fgets, %s) stop: use what read returns, and send exactly so many" ;;
    "a big file:"* | "a big file, taken late:bytes" | "a big file, taken late:part") echo "only a part of a big file comes: one read or send takes only a part of it; go on until all its bytes are sent" ;;
    "a big file, taken late:"*) echo "the server waits until one client takes its file; the others must get theirs meanwhile" ;;
    "a name of any bytes:"*) echo "a name may hold any byte but / and the byte 0, also dots, spaces, % and \\r: .hidden and v1..2 are files as all others; take the name as it came, to the byte" ;;
    "the longest name:"*) echo "a name of exactly 255 bytes is not too long; and where it is put behind the folder's, there must be room for both, a / and a byte 0" ;;
    "a name with ..:"* | "a path from the root:"*) echo "$say_outside" ;;
    "a path through a folder:"*) echo "it sends a file that does not lie in the folder itself: refuse every name with a / in it" ;;
    "a symbolic link:"*) echo "a symbolic link in the folder may lead out of it, and is no regular file: open with O_NOFOLLOW" ;;
    "a FIFO:nothing") echo "open waits for somebody who writes into the FIFO: open with O_NONBLOCK, then ask fstat whether it is a regular file" ;;
    "a FIFO:"* | "a folder:"*) echo "only regular files are sent: ask fstat (S_ISREG), after the open" ;;
    "no such file:"* | "a file that may not be read:"*) echo "when open fails, the answer is the line none, and the talk goes on" ;;
    "an empty name:"*) echo "an empty name is the folder itself, or nothing: the answer is none" ;;
    "a name that is too long:"*) echo "a name of more than 255 bytes gets ONE answer, none, and is thrown away up to its newline" ;;
    "a name with the byte 0:"*) echo "no file has the byte 0 in its name, but for open the name ends there: count the bytes of the name, and look for it" ;;
    "ten clients at once:"*) echo "10 clients are connected at the same time, and not each one gets its answers: at least so many must have a place, and none may wait for another one" ;;
    "several clients:"*) echo "a client waits until another one has ended: a process (or thread, or poll) must take care of each one" ;;
    *) false ;;
    esac || explain_server
}

# The folder files, and a secret beside it. Each file's bytes are made from the seed.
make_files() {
    local secret name
    secret=secret$(random 1000 9999)
    mkdir files files/sub
    echo "this is $(random 100 999)" >files/small.txt
    : >files/empty
    awk -v state="$(random 1 1000000)" 'BEGIN { for (i = 0; i < 20000; i++) { state = (state * 69069 + 1) % 1048576; print state, i } }' >files/big.txt
    { printf 'one\0two\0\n\0'; head -c 500 files/big.txt; printf '\377\0end'; } >files/binary
    echo "a name with spaces" >"files/with spaces.txt"
    echo "$secret" >files/sub/inner.txt
    echo "$secret" >secret.txt
    ln -s ../secret.txt files/link
    ln -s small.txt files/inner_link
    long=$(printf '%255s' '' | tr ' ' "$(tr 1-5 a-e <<<"$(random 1 5)")")
    for name in "$long" .hidden v1..2 "100%s%n"; do echo "$(random 100 999) of $name" >"files/$name"; done
    mkfifo files/pipe
    chmod -R go+rX files
}

# Not with the others: an ordinary user could not copy it.
before_each_run() {
    rm -f "$stage/at/files/locked"
    echo "a locked file" >"$stage/at/files/locked"
    chmod 0 "$stage/at/files/locked"
}

@test "files, and what is none" {
    make_files
    cat >script <<END
# a file
open a
send a small.txt\n
file a @files/small.txt
# an empty file
send a empty\n
file a @files/empty
silent a
# a binary file
send a binary\n
file a @files/binary
# no such file
send a nothing\n
expect a none\n
send a with spaces.txt\n
file a @files/with spaces.txt
# names in packets
send a sm
settle
send a all.t
silent a
send a xt\nempty\nbin
file a @files/small.txt
file a @files/empty
silent a
send a ary\n
file a @files/binary
# the longest name
send a $long\n
file a @files/$long
# a name with ..
send a ../secret.txt\n
expect a none\n
send a sub/../../secret.txt\n
expect a none\n
# a path from the root
send a $stage/at/secret.txt\n
expect a none\n
# a path through a folder
send a sub/inner.txt\n
expect a none\n
send a ./small.txt\n
expect a none\n
# a name of any bytes
send a .hidden\n100%s%n\nv1..2\n
file a @files/.hidden
file a @files/100%s%n
file a @files/v1..2
send a small.txt\r\n small.txt\n
expect a none\nnone\n
# a symbolic link
send a link\n
expect a none\n
send a inner_link\n
expect a none\n
# a folder
send a sub\n
expect a none\n
send a .\n
expect a none\n
send a ..\n
expect a none\n
# a FIFO
send a pipe\n
expect a none\n
# a file that may not be read
send a locked\n
expect a none\n
# an empty name
send a \n
expect a none\n
# a name that is too long
send a *256 x
send a \nempty\n
expect a none\n
file a @files/empty
send a *40000 x
send a \nempty\n
expect a none\n
file a @files/empty
# a name with the byte 0
send a small.txt\0.jpg\n
expect a none\n
# a big file
send a big.txt\n
file a @files/big.txt
half a
eof a
END
    serve script 0 files
}

@test "clients that come, stay and go" {
    local i
    make_files
    {
        cat <<END
# several clients
open a
open b
send a sma
send b small.txt\n
file b @files/small.txt
# a big file, taken late
open c
deaf c
send c big.txt\nbig.txt\n
settle
send b small.txt\n
file b @files/small.txt
open d
send d binary\n
file d @files/binary
hear c
file c @files/big.txt
file c @files/big.txt
close c
# ten clients at once
END
        # with a, b and d
        for i in {0..6}; do printf 'open t%d\nsend t%d sma\n' "$i" "$i"; done
        for i in {6..0}; do printf 'send t%d ll.txt\\n\nfile t%d @files/small.txt\n' "$i" "$i"; done
        echo freeze
        for i in {0..6}; do printf 'close t%d\n' "$i"; done
        cat <<END
thaw
# all files again and again
settle
mark
END
        for i in 1 2 3 4; do
            printf 'send b small.txt\\nnothing\\nsub\\nlink\\npipe\\nempty\\n../secret.txt\\n\n'
            printf 'file b @files/small.txt\nexpect b none\\nnone\\nnone\\nnone\\n\nfile b @files/empty\nexpect b none\\n\n'
        done
        echo "level 2"
        for i in 1 2 3 4; do
            printf 'open e\nsend e small.txt\\n\nfile e @files/small.txt\nhalf e\neof e\nclose e\nsettle\n'
        done
        cat <<END
# children that have ended
$a_moment
children
level 2
# a client that goes in the middle of a file
END
        for i in 1 2 3 4; do printf 'open e\ndeaf e\nsend e big.txt\\n\nsettle\nclose e\nsettle\n'; done
        cat <<END
open e
freeze
send e big.txt\nbig.txt\n
close e
thaw
settle
send a ll.txt\n
file a @files/small.txt
$a_moment
children
level 2
# the end, with clients that stay
deaf b
send b big.txt\n
settle
stop
over a
END
    } >script
    serve script 0 files
}
