# Sourced by tests/wine/run: named pipes, and the Docker Engine behind one.

# serve_engine: a port in front of the engine's socket, because Wine 8 has no Unix sockets.
serve_engine() {
    python3 - "$engine" "$engine_port" 2>"$folder/engine.log" <<'END' &
import asyncio, sys

async def copy(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write_eof()

async def serve(reader, writer):
    of_engine, to_engine = await asyncio.open_unix_connection(sys.argv[1])
    try:
        await asyncio.gather(copy(reader, to_engine), copy(of_engine, writer))
    finally:
        to_engine.close()
        writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[2]))
    await server.serve_forever()

asyncio.run(main())
END
    of_engine=$!
    started+=("$of_engine")
}

# opens_pipe NAME [PORT]: a pipe in front of a port, or one that is always in use.
opens_pipe() {
    : >"$folder/relay-$1"
    wine "$folder/program/relay.exe" "//./pipe/$1" ${2:+"127.0.0.1:$2"} \
        >"$folder/relay-$1" 2>&1 </dev/null &
    for _ in $(seq 60); do
        ! grep -q '^ready' "$folder/relay-$1" || return 0
        sleep 0.5
    done
    cat "$folder/relay-$1"
    return 1
}

# Both directions carry more than the buffers of a pipe.
builds_through_a_pipe() {
    opens_pipe buildkitd-test "$port" || return 1
    solvekit --addr npipe:////./pipe/buildkitd-test build --progress=plain \
        -o "$(windows "$folder/piped")" "$(windows "$folder/context")" &&
        cmp "$folder/context/large" "$folder/piped/large" &&
        same "$folder/piped/deep/er/two.txt" "$(cat "$folder/context/deep/er/two.txt")"
}

reports_a_missing_pipe() {
    refused_with 'no named pipe "//./pipe/none"' --addr npipe:////./pipe/none du
}

suggests_the_scheme() {
    refused_with "npipe:////./pipe/docker_engine" --addr //./pipe/docker_engine du
}

# It waits as long as for any daemon.
reports_a_busy_pipe() {
    local began=$SECONDS
    opens_pipe busy || return 1
    refused_with 'named pipe "//./pipe/busy" is in use by other clients' --addr npipe:////./pipe/busy du &&
        [ $((SECONDS - began)) -lt 30 ]
}

# The engine's own BuildKit, through an upgraded connection; then its image store.
builds_with_the_engine() {
    opens_pipe docker_engine "$engine_port" || return 1
    DOCKER_HOST=npipe:////./pipe/docker_engine BUILDKIT_HOST='' \
        build --no-cache -o 'C:\by engine' 'C:\steps' && same "$drive/by engine/word" "a step" &&
        DOCKER_HOST=npipe:////./pipe/docker_engine BUILDKIT_HOST='' \
            build --load -t "wine.test/$$:1" 'C:\steps' || return 1
    curl -fsS --unix-socket "$engine" "http://engine/images/wine.test/$$:1/json" &&
        curl -fsS --unix-socket "$engine" -X DELETE "http://engine/images/wine.test/$$:1"
}

# Docker's default, without any variable.
finds_the_engine() {
    BUILDKIT_HOST='' build -o 'C:\found' 'C:\steps' && same "$drive/found/word" "a step" &&
        BUILDKIT_HOST=docker://npipe:////./pipe/docker_engine solvekit du
}
