#!/usr/bin/env bash
# Builds the image and runs it as hardened as compose.yaml asks for, without a registry and without a daemon.
#
#   scripts/container.sh           the Dockerfile's final stage around a binary that is already built:
#                                  $CERTKEEPER_BINARY, else target/{x86_64-unknown-linux-musl/release,release,debug}.
#                                  A binary that is not static takes its shared libraries along. Seconds.
#   scripts/container.sh --full    the whole Dockerfile, compiled in its build stage. Many minutes. Where the base
#                                  image cannot be had, a stand-in for it is made from Debian's packages and the
#                                  Rust toolchain at hand.
#
# Levels: image built and run; image built and looked at, binary run without privileges; skipped, said loudly.
# Needs root, buildah and podman; with CI=true they are installed by apt where they are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

full=false
[[ "${1:-}" == "--full" ]] && full=true
image=localhost/certkeeper:trial
base=docker.io/library/rust:1.95-slim-bookworm

say() { printf '== container: %s\n' "$*"; }
fail() { printf '!! container: %s\n' "$*" >&2; exit 1; }
skip() {
    printf '\n##########\n## SKIPPED: the container was not tried (%s)\n##########\n\n' "$*"
    exit 0
}

[[ "$(uname -s)" == Linux ]] || skip "this is not Linux"
[[ "$(id -u)" == 0 ]] || skip "it needs root"

missing() { for tool in "$@"; do command -v "$tool" >/dev/null || return 0; done; return 1; }
if missing buildah podman runc; then
    [[ "${CI:-}" == true ]] || skip "buildah, podman or runc is missing; with CI=true they are installed"
    command -v apt-get >/dev/null || skip "buildah, podman or runc is missing, and there is no apt-get"
    fetch_tools() {
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -q && apt-get install -q -y --no-install-recommends buildah podman runc crun uidmap iptables
    }
    say "installing buildah, podman and runc"
    { fetch_tools || { sleep 5; fetch_tools; }; } >/tmp/certkeeper-container-apt.log 2>&1 || {
        tail -n 5 /tmp/certkeeper-container-apt.log
        skip "buildah, podman and runc could not be installed"
    }
fi

work="$(mktemp -d)"
chmod 0711 "$work"
driver=vfs
"$full" && driver=overlay
store=(--root "$work/store" --runroot "$work/run" --storage-driver "$driver")
buildah() { command buildah "${store[@]}" "$@"; }
podman() { command podman "${store[@]}" --runtime runc --cgroup-manager cgroupfs "$@"; }
cleanup() {
    podman rm -af >/dev/null 2>&1 || true
    buildah rm -a >/dev/null 2>&1 || true
    # An overlay store stays mounted until it is told otherwise.
    umount "$work/store/overlay" >/dev/null 2>&1 || true
    rm -rf "$work" || true
}
trap cleanup EXIT

build=(bud --isolation chroot --format docker --timestamp 0 -t "$image")
if "$full"; then
    if ! buildah pull -q "$base" >/dev/null 2>&1; then
        missing mmdebstrap && skip "the base image cannot be pulled, and mmdebstrap is missing"
        say "making a stand-in for $base"
        mmdebstrap -q --variant=apt --include=ca-certificates,gcc,libc6-dev bookworm "$work/base.tar"
        c="$(buildah from scratch)"
        buildah add -q "$c" "$work/base.tar" / >/dev/null
        buildah add -q "$c" "$(rustc --print sysroot)" /usr/local/rust >/dev/null
        buildah config --env PATH=/usr/local/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            --env CARGO_HOME=/usr/local/cargo "$c"
        buildah commit -q "$c" "$base" >/dev/null
        buildah rm "$c" >/dev/null
        rm "$work/base.tar"
    fi
    # Whatever authorities this machine trusts, the build may reach the registry through.
    mounts=()
    for certs in /etc/ssl/certs /usr/local/share/ca-certificates; do
        [[ -d "$certs" ]] && mounts+=(-v "$certs:$certs:ro")
    done
    say "building the whole Dockerfile"
    buildah "${build[@]}" --pull-never "${mounts[@]}" --build-arg PROFILE="${PROFILE:-dist}" .
else
    binary="${CERTKEEPER_BINARY:-}"
    for candidate in target/x86_64-unknown-linux-musl/release target/release target/debug; do
        [[ -z "$binary" && -x "$candidate/certkeeper" ]] && binary="$candidate/certkeeper"
    done
    [[ -n "$binary" ]] || fail "there is no binary yet: cargo build first"
    say "building the final stage around $binary"
    mkdir -p "$work/context/out" "$work/context/data"
    cp "$binary" "$work/context/out/certkeeper"
    strip "$work/context/out/certkeeper" 2>/dev/null || true
    # A dynamic binary needs its loader and libraries where it looks for them.
    { ldd "$binary" 2>/dev/null || true; } | grep -o '/[^ )]*' | sort -u | while read -r library; do
        install -D "$library" "$work/context/out$library"
    done
    {
        printf 'FROM scratch AS build\nCOPY out/ /out/\nCOPY data/ /data/\n'
        sed -n '/^# ---- the image/,$p' Dockerfile
    } >"$work/context/Dockerfile"
    grep -q '^ENTRYPOINT' "$work/context/Dockerfile" || fail "the Dockerfile's final stage was not found"
    buildah "${build[@]}" "$work/context" >"$work/build.log" 2>&1 || { cat "$work/build.log"; fail "the image was not built"; }
fi

# ---- what the image says of itself
look() { buildah inspect --type image --format "$1" "$image"; }
expect() { [[ "$2" == "$3" ]] || fail "$1 is '$2', not '$3'"; say "$1: $2"; }
expect user "$(look '{{.Docker.Config.User}}')" 65532:65532
expect entrypoint "$(look '{{.Docker.Config.Entrypoint}}')" '[/certkeeper]'
expect command "$(look '{{.Docker.Config.Cmd}}')" '[run]'
expect health "$(look '{{.Docker.Config.Healthcheck.Test}}')" '[CMD /certkeeper health]'
expect volumes "$(look '{{.Docker.Config.Volumes}}')" 'map[]'
[[ "$(look '{{.Docker.Config.Env}}')" == *CERTKEEPER_DATABASE__PATH=/data/certkeeper.db* ]] || fail "the database is not in /data"
c="$(buildah from --pull-never "$image")"
m="$(buildah mount "$c")"
expect "owner of /data" "$(stat -c %u:%g "$m/data")" 65532:65532
say "size: $(du -sh --apparent-size "$m" | cut -f1), files:"
(cd "$m" && find . -type f | sed 's/^\./     /')
buildah umount "$c" >/dev/null
buildah rm "$c" >/dev/null

# ---- running it
hard=(--no-healthcheck --network none --read-only --read-only-tmpfs=false --cap-drop all
    --security-opt no-new-privileges --ulimit nofile=1024:1024 --ulimit nproc=256:256
    --memory 128m --pids-limit 64)
if ! podman run --rm "${hard[@]}" "$image" --version >"$work/version" 2>"$work/run.log"; then
    grep -q '^error:\|Usage:' "$work/run.log" && { cat "$work/run.log"; fail "the binary does not know --version"; }
    say "REDUCED: containers cannot be run here ($(tail -n 1 "$work/run.log"))"
    "$full" && exit 0
    mkdir "$work/home"; chown 65532:65532 "$work/home"
    install -m 0755 "$binary" "$work/certkeeper"
    code=0
    (cd "$work/home" && env -i setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs --bounding-set=-all \
        --inh-caps=-all "$work/certkeeper" run) >"$work/run.log" 2>&1 || code=$?
    [[ $code == 78 ]] || { cat "$work/run.log"; fail "without a token, run ended with $code, not 78"; }
    say "run without privileges refuses a missing token, code 78"
    exit 0
fi
[[ -s "$work/version" ]] || fail "--version says nothing"
say "runs: $(cat "$work/version")"

code=0
podman run --rm "${hard[@]}" -v ck-none:/data "$image" >"$work/run.log" 2>&1 || code=$?
[[ $code == 78 ]] || { cat "$work/run.log"; fail "without a token it ended with $code, not 78"; }
grep -q 'discord.token' "$work/run.log" || { cat "$work/run.log"; fail "the missing token is not named"; }
say "a missing token is refused by name, code 78"

code=0
token=(-e CERTKEEPER_DISCORD__TOKEN=not.a.token -e CERTKEEPER_DISCORD__API=http://127.0.0.1:9)
timeout 20 podman "${store[@]}" --runtime runc --cgroup-manager cgroupfs \
    run --rm "${hard[@]}" "${token[@]}" "$image" >"$work/run.log" 2>&1 || code=$?
[[ $code != 0 && $code != 124 ]] || { cat "$work/run.log"; fail "without a volume it did not stop (code $code)"; }
grep -q '/data' "$work/run.log" || { cat "$work/run.log"; fail "without a volume it does not say what is wrong with /data"; }
say "a forgotten volume is a failure (code $code): $(tail -n 1 "$work/run.log" | cut -c1-160)"

podman run -d --name ck "${hard[@]}" "${token[@]}" -v ck-data:/data "$image" >/dev/null
alive=false
for _ in $(seq 1 50); do
    if podman exec ck /certkeeper health >"$work/health" 2>&1; then alive=true; break; fi
    sleep 0.2
done
"$alive" || { podman logs ck; cat "$work/health"; fail "it did not become alive"; }
say "alive: $(cat "$work/health")"
if podman exec ck /certkeeper health --ready >"$work/health" 2>&1; then fail "it says that it is ready without Discord"; fi
say "not ready without Discord, as it should be"
pid="$(podman inspect --format '{{.State.Pid}}' ck)"
status() { awk -v field="$1:" '$1 == field { print $2 }' "/proc/$pid/status"; }
expect uid "$(status Uid)" 65532
expect "effective capabilities" "$(status CapEff)" 0000000000000000
expect "no new privileges" "$(status NoNewPrivs)" 1
say "memory in use: $(status VmRSS) kB"
before="$(date +%s%N)"
podman stop -t 10 ck >/dev/null
took=$((($(date +%s%N) - before) / 1000000))
expect "exit code after SIGTERM" "$(podman inspect --format '{{.State.ExitCode}}' ck)" 0
((took < 6000)) || fail "it took $took ms to stop"
say "stopped in $took ms"
data="$(podman volume inspect --format '{{.Mountpoint}}' ck-data)"
expect "mode of the database" "$(stat -c %a "$data/certkeeper.db")" 600
say "all is well"
