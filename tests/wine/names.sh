# Sourced by tests/wine/run: names and links in exports and contexts.

# exports FOLDER: the files of $tree, which is emptied.
exports() {
    rm -rf "$folder/archived"
    mkdir "$folder/archived"
    tar -C "$tree" -cf "$folder/archived/tree.tar" .
    rm -rf "$tree" && mkdir "$tree"
    printf 'FROM scratch\nADD tree.tar /\n' >"$folder/archived/Dockerfile"
    build -o "$1" "$(windows "$folder/archived")"
}

exports_hard_links() {
    mkdir "$tree/deep"
    echo text >"$tree/one"
    ln "$tree/one" "$tree/deep/two"
    exports 'C:\hard' && same "$drive/hard/one" text &&
        [ "$drive/hard/one" -ef "$drive/hard/deep/two" ]
}

# Devices elsewhere on Windows, and names that it would shorten. The second export replaces them.
exports_names_that_windows_changes() {
    local name names=(con nul.txt com1 aux 'dot.' 'blank ' 'deep. /x') round
    for round in first second; do
        for name in "${names[@]}"; do
            mkdir -p "$(dirname "$tree/$name")"
            echo "$round $name" >"$tree/$name"
        done
        exports 'C:\names' || return 1
        for name in "${names[@]}"; do same "$drive/names/$name" "$round $name" || return 1; done
    done
}

refuses_names_of_unix() {
    local name
    for name in a:b 'a\b' 'a*' 'what?' '"' '<a>' 'a|b'; do
        echo text >"$tree/$name"
        ! exports 'C:\refused' >"$folder/refusal" 2>&1 || return 1
        cat "$folder/refusal"
        grep -qF "cannot create $name: Windows does not allow this name" "$folder/refusal" ||
            return 1
    done
}

refuses_names_that_differ_in_case() {
    mkdir "$tree/sub"
    echo one >"$tree/sub/Readme"
    echo two >"$tree/sub/readme"
    ! exports 'C:\cases' >"$folder/refusal" 2>&1 && cat "$folder/refusal" &&
        grep -qF "cannot create sub/readme: its name differs from that of sub/Readme only in case" \
            "$folder/refusal"
}

# A folder of the result keeps its name of before, and is not removed as an old one.
deletes_by_name_in_any_case() {
    mkdir -p "$drive/mirror/Dist" "$tree/dist"
    touch "$drive/mirror/Dist/old" "$drive/mirror/gone"
    echo new >"$tree/dist/file"
    (cd "$drive" && exports 'type=local,mode=delete,dest=mirror') && same "$drive/mirror/Dist/file" new &&
        [ "$(cd "$drive/mirror" && find . -type f)" = ./Dist/file ]
}
