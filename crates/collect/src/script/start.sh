#!/bin/sh
# Collects what an investigation needs from a host without Coroner, as a casefile.
#
#   sh collector.sh [-o OUTDIR] [PROJECT_DIR...]
#
# Only reads. Needs nothing but a POSIX shell: what a missing tool would have
# answered is left out, and the casefile then says "could not look".
# Without PROJECT_DIR the projects are those of the containers' compose labels.

set -u
umask 077

# Bounds. A command gets so many seconds, a log or table so many bytes.
command_seconds_max=30
log_bytes_max=20000000
log_lines_max=200000
table_bytes_max=50000000
file_kb_max=1024
files_max=4000
tree_lines_max=40000
tree_depths="8 6 4 3 2 1"
session_days_max=45
sessions_max=400
sessions_bytes_max=500000000
room_kb_min=262144

# The person's own environment, before anything here changes it.
env_text=$(env 2>/dev/null) || env_text=
LC_ALL=C
GIT_OPTIONAL_LOCKS=0
export LC_ALL GIT_OPTIONAL_LOCKS
tab=$(printf '\t')
newline='
'
trying=
# Folders whose files no person wrote.
unwritten='-name .git -o -name node_modules -o -name __pycache__ -o -name .venv -o -name venv -o -name target -o -name vendor -o -name .tox'

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $1"; say "  hint: $2"; exit 2; }
have() { command -v "$1" >/dev/null 2>&1; }

usage() {
    say "usage: sh collector.sh [-o OUTDIR] [PROJECT_DIR...]"
    say "Writes a casefile of this host into a new folder OUTDIR. Only reads."
}

# Runs a command for a bounded time, where the host can bound it.
if have timeout && timeout 5 true 2>/dev/null; then
    limited() { timeout "$command_seconds_max" "$@" </dev/null; }
elif have timeout && timeout -t 5 true 2>/dev/null; then
    limited() { timeout -t "$command_seconds_max" "$@" </dev/null; }
else
    limited() { "$@" </dev/null; }
fi

# Whether the disk has room for more.
room() {
    have df || return 0
    kb=$(df -P -k "$out" 2>/dev/null | while read -r _ _ _ free _; do last=$free; printf '%s\n' "$last"; done)
    kb=${kb##*"$newline"}
    case $kb in '' | *[!0-9]*) return 0 ;; esac
    [ "$kb" -ge "$room_kb_min" ] && return 0
    [ -n "${room_said:-}" ] || say "  the disk is nearly full: nothing large is copied any more"
    room_said=yes
    return 1
}

folder_of() { case $1 in */*) mkdir -p "$out/${1%/*}" ;; esac; }

# The last so many bytes of the input.
last_bytes() { if have tail; then tail -c "$1"; else cat; fi; }

bytes_of() { if have wc && [ -r "$1" ]; then printf '%s' $(($(wc -c <"$1"))); else printf '0'; fi; }

unique() { if have sort; then sort -u; else cat; fi; }

# table FILE COMMAND...: keeps what a command prints.
# Nothing printed and no error: there was nothing, and the file is empty.
# Nothing printed and an error, cut off, or too much: the file is absent.
table() {
    to=$1
    shift
    room || return 1
    folder_of "$to"
    limited "$@" >"$out/$to" 2>/dev/null
    status=$?
    settle "$to" "$status"
}

# Whether a command with this status came to its end.
in_time() { case $1 in 124 | 137 | 143) return 1 ;; esac; }

settle() {
    in_time "$2" || { drop "$1" "it took too long"; return 1; }
    [ "$2" -eq 0 ] || [ -s "$out/$1" ] || { drop "$1" "its command failed"; return 1; }
    [ "$(bytes_of "$out/$1")" -le "$table_bytes_max" ] || { drop "$1" "it is too large"; return 1; }
}

drop() {
    rm -f "$out/$1"
    [ -n "$trying" ] || say "  left out $1: $2"
}

# try FUNCTION...: the same without a word, as there is another way.
try() {
    trying=yes
    "$@"
    tried=$?
    trying=
    return "$tried"
}

# stream FILE COMMAND...: keeps the end of what a command prints.
stream() {
    to=$1
    shift
    room || return 1
    folder_of "$to"
    { limited "$@" 2>/dev/null; printf '%s' "$?" >"$out/.status"; } | last_bytes "$log_bytes_max" >"$out/$to"
    streamed "$to"
}

# log FILE COMMAND...: the same for a log that a command prints on both outputs.
log() {
    to=$1
    shift
    room || return 1
    folder_of "$to"
    { limited "$@" 2>&1; printf '%s' "$?" >"$out/.status"; } | last_bytes "$log_bytes_max" >"$out/$to"
    streamed "$to"
}

# The end of a log is worth keeping even where time ran out.
streamed() {
    status=$(cat "$out/.status" 2>/dev/null) || status=1
    rm -f "$out/.status"
    case $status in
        0 | 124 | 137 | 143) ;;
        *) drop "$1" "its command failed"; return 1 ;;
    esac
}

# copy PATH: a small regular file of the host to files/PATH.
copy() {
    [ -f "$1" ] && [ -r "$1" ] || return 0
    [ -e "$out/files$1" ] && return 0
    [ "$files_copied" -lt "$files_max" ] || { say "  left out $1: enough files"; return 0; }
    [ "$(bytes_of "$1")" -le $((file_kb_max * 1024)) ] || { say "  left out $1: it is too large"; return 0; }
    room || return 0
    mkdir -p "$out/files${1%/*}"
    cat "$1" >"$out/files$1" 2>/dev/null || rm -f "$out/files$1"
    files_copied=$((files_copied + 1))
}

# copy_all DIR DEPTH: the small files of a directory of configuration.
copy_all() {
    [ -d "$1" ] && have find || return 0
    limited find "$1" -maxdepth "$2" -type f -size "-${file_kb_max}k" 2>/dev/null >"$out/.list"
    while IFS= read -r path; do copy "$path"; done <"$out/.list"
    rm -f "$out/.list"
}

# tail_log PATH COMPONENT: the end of a log to logs/COMPONENT.log, or the next free number.
tail_log() {
    [ -f "$1" ] && [ -r "$1" ] && room || return 0
    mkdir -p "$out/logs"
    name="logs/$2.log"
    number=1
    while [ -e "$out/$name" ]; do
        number=$((number + 1))
        name="logs/$2.$number.log"
    done
    last_bytes "$log_bytes_max" <"$1" >"$out/$name" 2>/dev/null || rm -f "$out/$name"
}
