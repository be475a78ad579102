# Sourced by tests/wine/run: paths, files and configuration as Windows has them.

# Relative paths with both separators, from the context's folder.
takes_relative_paths() {
    (cd "$folder/context" && build -f 'sub\Dockerfile' -o '..\relative' .) &&
        (cd "$folder/context" && build -f sub/Dockerfile -o ../relative2 .) &&
        same "$folder/relative/only.txt" "three" && same "$folder/relative2/only.txt" "three"
}

# Every flag with a path, with drive letters and blanks.
takes_paths_with_drives() {
    build -f 'C:\my work\sub\Other' --secret 'id=a,src=C:\my work\token' \
        --build-context 'sub=C:\my work\sub' --cache-to 'type=local,dest=C:\my cache' \
        --metadata-file 'C:\meta.json' -o 'type=local,dest=C:\my out' \
        'C:\my work' || return 1
    build --cache-from 'type=local,src=C:\my cache' -f 'C:/my work/sub/Other' \
        --build-context 'sub=C:/my work/sub' -o 'C:/out2' 'C:/my work' || return 1
    for folder_of_build in "my out" out2; do
        same "$drive/$folder_of_build/Other" "$(cat "$drive/my work/sub/Other")" || return 1
    done
    python3 -m json.tool "$drive/meta.json"
}

builds_on_a_layout() {
    build -o 'type=oci,tar=false,dest=C:\layout' -t example/a:1 --iidfile 'C:/id' 'C:\my work' &&
        grep -q '^sha256:' "$drive/id" &&
        printf 'FROM base\nCOPY token /again\n' >"$drive/my work/on-layout" &&
        build -f 'C:\my work\on-layout' --build-context 'base=oci-layout://C:\layout' \
            -o 'C:\out3' 'C:\my work' && [ -e "$drive/out3/again" ] && [ -e "$drive/out3/inline" ]
}

# Editors on Windows end lines with CRLF, and begin files with a byte order mark.
reads_files_of_windows() {
    build -o 'C:\crlf' 'C:\my work' && [ ! -e "$drive/crlf/a.tmp" ] && [ -e "$drive/crlf/keep.tmp" ] &&
        same "$drive/crlf/inline" "$(printf 'of default\r')" || return 1
    # PowerShell 5 writes UTF-16.
    printf 'FROM scratch\r\n' | iconv -t UTF-16 >"$drive/my work/utf16"
    refused_with "this file is UTF-16" build -f 'C:\my work\utf16' 'C:\my work'
}

# %USERPROFILE%\.docker, with a credential helper, which is a program with .exe.
uses_credential_helpers() {
    mkdir -p "$config"
    printf '{\r\n  "credsStore": "test"\r\n}\r\n' >"$config/config.json"
    refused_with "docker-credential-test keeps them, but is not on PATH" doctor || return 1
    x86_64-w64-mingw32-gcc -o "$folder/program/docker-credential-test.exe" -x c - <<'END'
#include <stdio.h>
#include <string.h>
int main(int count, char **words) {
    return count != 2 || (!strcmp(words[1], "list") && printf("{\"reg.example\": \"me\"}\n") < 0);
}
END
    WINEPATH=$(windows "$folder/program") solvekit doctor || return 1
    printf '\357\273\277{}' >"$config/config.json"
    refused_with "without a byte order mark" doctor && rm "$config/config.json"
}

# Docker Desktop's own context.
finds_docker_desktop() {
    local meta
    meta=$config/contexts/meta/$(printf desktop-linux | sha256sum | cut -c1-64)
    mkdir -p "$meta"
    echo '{"currentContext": "desktop-linux"}' >"$config/config.json"
    cat >"$meta/meta.json" <<'END'
{"Name": "desktop-linux", "Metadata": {}, "Endpoints": {
 "docker": {"Host": "npipe:////./pipe/dockerDesktopLinuxEngine", "SkipTLSVerify": false}}}
END
    BUILDKIT_HOST='' refused_with "open Docker Desktop" build 'C:\my work' &&
        grep -q 'no named pipe "//./pipe/dockerDesktopLinuxEngine"' "$folder/refusal" &&
        BUILDKIT_HOST='' DOCKER_HOST=unix:///var/run/docker.sock refused_with \
            "DOCKER_HOST is ignored" doctor && rm "$config/config.json"
}

keeps_builders() {
    solvekit create --name far --driver remote "$BUILDKIT_HOST" --use &&
        BUILDKIT_HOST='' build -o 'C:\far' 'C:\my work' && solvekit ls &&
        same "$drive/far/token" token && solvekit rm far && solvekit ls >"$folder/list" &&
        ! grep -q '^far' "$folder/list"
}

# With both separators at the start and end.
takes_paths_from_the_working_directory() {
    (cd "$drive" && build -f '.\my work\sub\Other' --build-context 'sub=.\my work\sub\' \
        --metadata-file '.\deep\..\meta' -o '.\dotted' '.\my work\') &&
        same "$drive/dotted/Other" "$(cat "$drive/my work/sub/Other")" && [ -e "$drive/meta" ]
}

# With the flags that the error shows, a bake file may read and write elsewhere.
bakes_with_paths_of_windows() (
    mkdir -p "$drive/bake files"
    sed 's/$/\r/' >"$drive/bake files/docker-bake.hcl" <<'END'
group "default" { targets = ["absolute", "relative"] }
target "absolute" {
  context    = "C:\\my work"
  dockerfile = "sub\\Other"
  contexts   = { sub = "C:/my work/sub" }
  secret     = ["id=a,src=C:\\my work\\token"]
  output     = ["type=local,dest=C:\\baked\\absolute"]
}
target "relative" {
  context    = "..\\my work"
  dockerfile = "C:\\my work\\sub\\Other"
  contexts   = { sub = "..\\my work\\sub" }
  output     = ["type=local,dest=..\\baked\\relative"]
}
END
    cd "$drive/bake files" || return 1
    local granted=('--allow=fs.read=..\my work' '--allow=fs.write=..\baked\absolute'
        '--allow=fs.write=..\baked\relative') flag
    refused_with "asks for more than is allowed" bake || return 1
    for flag in "${granted[@]}"; do grep -qF -- "$flag" "$folder/refusal" || return 1; done
    solvekit bake --progress=plain "${granted[@]}" || return 1
    for flag in absolute relative; do
        same "$drive/baked/$flag/Other" "$(cat "$drive/my work/sub/Other")" || return 1
    done
)

# The secret is of another drive than the project, and reaches a step.
bakes_compose_files() (
    mkdir -p "$drive/compose"
    echo "token of compose" >"$folder/compose-token"
    printf 'FROM busybox AS made\nRUN --mount=type=secret,id=t cp /run/secrets/t /t\nFROM scratch\n%s\n' \
        'COPY --from=made /t /' >"$drive/compose/Other"
    sed 's/$/\r/' >"$drive/compose/compose.yaml" <<END
services:
  web:
    build:
      context: C:\\compose
      dockerfile: Other
      secrets: [t]
secrets:
  t:
    file: $(windows "$folder/compose-token")
END
    export BUILDKIT_HOST=docker://npipe:////./pipe/docker_engine
    cd "$drive/compose" && solvekit bake --progress=plain --allow "fs.read=$(windows "$folder")" \
        --set '*.output=type=local,dest=.\out' && same out/t "token of compose"
)

# DOCKER_CONFIG is a folder with a drive.
uses_another_configuration() {
    DOCKER_CONFIG='C:\other config' solvekit create --name far --driver remote "$BUILDKIT_HOST" &&
        [ -e "$drive/other config/buildx/instances/far" ] &&
        DOCKER_CONFIG='c:/other config/' solvekit ls >"$folder/list" &&
        grep '^far' "$folder/list" && solvekit ls >"$folder/list" && ! grep '^far' "$folder/list"
}
