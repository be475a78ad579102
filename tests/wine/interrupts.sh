# Sourced by tests/wine/run: Ctrl-C during a build of the engine. Wine 8 has no Ctrl-Break.

# press COUNT: builds, and presses Ctrl-C while the step sleeps. A terminal at stdin makes Wine
# start a console.
press() {
    local words=(wine "$folder/program/press.exe" "$1" asleep "$program" build
        --progress=plain -o 'C:\interrupted' 'C:\sleeps')
    BUILDKIT_HOST=docker://tcp://127.0.0.1:$engine_port timeout 120 \
        script -qec "$(printf '%q ' "${words[@]}") >$folder/pressed 2>&1" /dev/null </dev/null
    cat "$folder/pressed"
    ! grep -q panicked "$folder/pressed"
}

# ended_within MILLISECONDS: with the exit code of an interruption, and no export.
ended_within() {
    local after
    after=$(sed -n 's/^exit code 130 after \([0-9]*\) ms\r*$/\1/p' "$folder/pressed")
    [ -n "$after" ] && [ "$after" -lt "$1" ] && [ ! -e "$drive/interrupted" ]
}

# Its step ends too.
ends_on_the_first() { press 1 && ended_within 10000 && ! pgrep -f "sleep 100$$"; }

# The connection hangs, so the build cannot be cancelled; the second key needs no answer.
ends_at_once_on_the_second() {
    : >"$folder/pressed"
    (
        until grep -q asleep "$folder/pressed"; do sleep 0.1; done
        kill -STOP "$of_engine"
    ) &
    local status=0
    press 2 || status=$?
    kill -CONT "$of_engine"
    [ "$status" = 0 ] && ended_within 2000
}
