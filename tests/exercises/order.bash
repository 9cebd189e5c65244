# shellcheck shell=bash disable=SC2154  # $stage is of exercise.bash
# order.bash - for checks whose wrong answers mostly win a race by luck: load it after ../../lib/exercise.
# See order.c for what the orders are.
#     run_in_order ORDER [OPTION OF run_answer]... ARGUMENT...

eval "unordered_$(declare -f judge_run)"
judge_run() {
    if [ -n "${order:-}" ]; then
        set -- --env LD_PRELOAD=./order.so --env "ANSWER_ORDER=$order" "$@"
    fi
    unordered_judge_run "$@"
}

run_in_order() {
    local order=$1
    shift
    [ -f "$BATS_FILE_TMPDIR/order.so" ] ||
        "${CC:-gcc}" -shared -fPIC -O1 -o "$BATS_FILE_TMPDIR/order.so" "$BATS_TEST_DIRNAME/../order.c" -ldl
    cp "$BATS_FILE_TMPDIR/order.so" "$stage/at/"
    run_answer "$@"
}

# Did the first process wait for what one child does before it started the next one? (After an order last:N.)
waited_in_the_loop() {
    [ -f "$stage/at/alone" ]
}
