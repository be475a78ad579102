#!/bin/sh
# Installs the command solvekit from a release, or from a folder of archives. It checks the archive's checksum.
#
#   curl -fsSL https://github.com/solvekit/solvekit/releases/latest/download/install.sh | sh
#   ./install.sh --from target/packages --to ~/.local/bin --buildx
set -eu

REPOSITORY=https://github.com/solvekit/solvekit
from='' to='' version=latest buildx=no

usage() {
    cat <<'TEXT'
usage: install.sh [--version VERSION] [--from FOLDER|URL] [--to FOLDER] [--buildx]

  --version  this release, such as 0.1.0 [default: the latest]
  --from     take archive and SHA256SUMS from here, not from GitHub
  --to       install into this folder [default: /usr/local/bin as root, else ~/.local/bin]
  --buildx   docker build and docker buildx then run solvekit
TEXT
}
fail() { echo "install.sh: $*" >&2; exit 1; }

while [ $# -gt 0 ]; do
    case $1 in
        --version | --from | --to)
            [ $# -ge 2 ] || fail "$1 needs a value"
            case $1 in --version) version=${2#v} ;; --from) from=$2 ;; --to) to=$2 ;; esac
            shift 2 ;;
        --buildx) buildx=yes; shift ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; fail "unknown argument $1" ;;
    esac
done

case $(uname -s) in
    Linux) system='unknown-linux-[a-z]*' ;;
    Darwin) system=apple-darwin ;;
    *) fail "there is no binary for $(uname -s): cargo install --locked solvekit" ;;
esac
case $(uname -m) in
    x86_64 | amd64) machine=x86_64 ;;
    aarch64 | arm64) machine=aarch64 ;;
    armv7*) machine=armv7 ;;
    riscv64) machine=riscv64gc ;;
    ppc64le) machine=powerpc64le ;;
    *) machine=$(uname -m) ;;
esac
target=$machine-$system

if [ -z "$from" ]; then
    case $version in
        latest) from=$REPOSITORY/releases/latest/download ;;
        *) from=$REPOSITORY/releases/download/v$version ;;
    esac
fi
if [ -z "$to" ]; then
    if [ "$(id -u)" = 0 ]; then to=/usr/local/bin; else to=${HOME:?HOME is not set}/.local/bin; fi
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Copies FILE of the release into the working folder.
get() {
    case $from in
        https://* | http://*)
            if command -v curl >/dev/null; then
                curl -fsSL --retry 3 -o "$work/$1" "$from/$1" || fail "cannot download $from/$1"
            else
                wget -q -O "$work/$1" "$from/$1" || fail "cannot download $from/$1"
            fi ;;
        *) cp "$from/$1" "$work/$1" 2>/dev/null || fail "there is no $from/$1" ;;
    esac
}

get SHA256SUMS
pattern="solvekit-[0-9][^ /]*-$target\.tar\.gz"
[ "$version" = latest ] || pattern="solvekit-$version-$target\.tar\.gz"
archive=$(sed -n "s/^[0-9a-f]\{64\}  \($pattern\)\$/\1/p" "$work/SHA256SUMS" | tail -n 1)
[ -n "$archive" ] || fail "$from has no archive for $(uname -sm): cargo install --locked solvekit compiles one"
get "$archive"
wanted=$(sed -n "s/^\([0-9a-f]\{64\}\)  $archive\$/\1/p" "$work/SHA256SUMS")
if command -v sha256sum >/dev/null; then
    found=$(sha256sum "$work/$archive")
else
    found=$(shasum -a 256 "$work/$archive")
fi
[ "${found%% *}" = "$wanted" ] || fail "$archive does not have the checksum of SHA256SUMS: nothing was installed"

tar -xzf "$work/$archive" -C "$work"
mkdir -p "$to" || fail "cannot make $to: name another folder with --to"
# Renamed into place: a solvekit that is running goes on.
new=$to/.solvekit.$$
cp "$work/${archive%.tar.gz}/solvekit" "$new" || fail "cannot write to $to: name another folder with --to"
chmod 755 "$new"
mv -f "$new" "$to/solvekit"
echo "installed $("$to/solvekit" version) as $to/solvekit"
[ "$buildx" = no ] || "$to/solvekit" install-plugin --buildx --force
case :$PATH: in *:"$to":*) ;; *) echo "note: $to is not in PATH" ;; esac
