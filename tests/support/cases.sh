# Sourced by tests/wine and tests/arm64: runs cases, prints a line for each and counts them. $folder is
# removed at the end. Before the script ends, it calls `summary`.

folder=$(mktemp -d)
passed=0 failed=0
# Nothing of the user's own configuration.
unset DOCKER_CONFIG BUILDX_BUILDER SSH_AUTH_SOCK

# check NAME COMMAND…: runs it and counts.
check() {
    local name=$1 began=$SECONDS
    shift
    if "$@" >"$folder/output" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $name ($((SECONDS - began)) s)"
    else
        failed=$((failed + 1))
        echo "FAILED  $name"
        sed 's/^/        /' "$folder/output"
    fi
}

summary() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}

build() { solvekit build --progress=plain "$@"; }

# refused_with TEXT ARGUMENT…: the command fails with this text and does not panic.
refused_with() {
    local text=$1
    shift
    if solvekit "$@" >"$folder/refusal" 2>&1; then return 1; fi
    cat "$folder/refusal"
    grep -qF -- "$text" "$folder/refusal" && ! grep -q panicked "$folder/refusal"
}

# same FILE TEXT
same() {
    echo "found in $1: $(cat "$1")"
    [ "$(cat "$1")" = "$2" ]
}

prints_its_version() { solvekit version | tee "$folder/version" && grep -q solvekit "$folder/version"; }
