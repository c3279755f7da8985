# shellcheck shell=bash
# What the commands of this folder share. Sourced, never run.
# shellcheck disable=SC2034  # what is set here is used by those who source it

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
target=${CARGO_TARGET_DIR:-$top/target}
blackstart=$target/debug/blackstart

# Where rustup puts cargo; a shell that nobody logged into may not look there.
[[ ! -d ${CARGO_HOME:-$HOME/.cargo}/bin ]] || PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin

name=$(basename "$0")
say() { echo "$name: $*" >&2; }

# help_and_exit: the comment at the head of the command, as its help.
help_and_exit() {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit "${1:-2}"
}

# now_ms, seconds_since MS: a clock good enough for stages of seconds.
now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
seconds_since() {
    local ms=$(($(now_ms) - $1))
    printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100))
}

# prepare: ci/setup, and what its exit status means here. Sets `engine` to yes, or to nothing where none can be had.
prepare() {
    local status=0
    "$here/setup" </dev/null || status=$?
    engine=yes
    case $status in
        0) ;;
        3) engine= ;;
        *) exit 3 ;;
    esac
}

# build: the program and the stand-ins. The development profile: tests need it anyway, it is built in a third of the time,
# and a drill waits for containers, not for us.
build() {
    [[ -x $blackstart ]] ||
        say "building from nothing takes some minutes (four or five on two cores); later builds take seconds"
    (cd "$top" && cargo build --workspace --locked </dev/null)
}

# patiently COMMAND...: runs it so that a SIGTERM to us reaches it, and waits until it has cleared up. Gives its status.
patiently() {
    "$@" &
    local child=$!
    trap 'kill -TERM "$child" 2>/dev/null' TERM
    trap : INT                      # a Ctrl-C reaches the child by itself
    while kill -0 "$child" 2>/dev/null; do wait "$child" 2>/dev/null || true; done
    trap - TERM INT
    wait "$child"
}
