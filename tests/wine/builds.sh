# Sourced by tests/wine/run: builds, exports and bake.

# has ARCHIVE PATTERN: a line of its listing matches. No pipe: grep would end before tar.
has() {
    tar -tvf "$1" >"$folder/listing" && cat "$folder/listing" && grep -q "$2" "$folder/listing"
}

exports_a_folder() {
    build -o "$(windows "$folder/out")" "$(windows "$folder/context")" || return 1
    same "$folder/out/hello.txt" "hello from $(printf 'Z\u00fcrich')" &&
        same "$folder/out/deep/er/two.txt" two && [ ! -e "$folder/out/ignored.txt" ] &&
        [ "$(stat --format=%s "$folder/out/large")" = 3000000 ] &&
        cmp "$folder/context/large" "$folder/out/large"
}

exports_again() {
    echo changed >"$folder/out/hello.txt"
    build -o "$(windows "$folder/out")" "$(windows "$folder/context")" || return 1
    same "$folder/out/hello.txt" "hello from $(printf 'Z\u00fcrich')"
}

sends_what_changed() {
    echo "three" >"$folder/context/deep/er/two.txt"
    build -o "$(windows "$folder/out")" "$(windows "$folder/context")" &&
        same "$folder/out/deep/er/two.txt" three
}

exports_an_archive() {
    build -o "type=tar,dest=$(windows "$folder/out.tar")" "$(windows "$folder/context")" &&
        has "$folder/out.tar" ' deep/er/two.txt$'
}

exports_an_image() {
    build -o "type=oci,dest=$(windows "$folder/image.tar")" -t example/a:1 \
        --iidfile "$(windows "$folder/id")" "$(windows "$folder/context")" &&
        has "$folder/image.tar" ' index.json$' && grep -q '^sha256:' "$folder/id"
}

# FROM scratch has no step that takes the secret, so only reading the file is tested.
reads_secrets() {
    echo token >"$folder/secret"
    build --secret "id=token,src=$(windows "$folder/secret")" -o "$(windows "$folder/out")" \
        "$(windows "$folder/context")"
}

bakes() {
    (cd "$folder/context" && solvekit bake --progress=plain) && same "$folder/context/baked/hello.txt" \
        "hello from $(printf 'Z\u00fcrich')"
}

# Windows has no executable bit: every file is executable, as with BuildKit's own clients.
sends_programs() {
    build -o 'type=tar,dest=C:\out.tar' 'C:\my work' && has "$drive/out.tar" '^-rwxr-xr-x.* token$'
}
