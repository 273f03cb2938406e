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
room_kb_min=262144

# The person's own environment, before anything here changes it.
env_text=$(env 2>/dev/null) || env_text=
LC_ALL=C
GIT_OPTIONAL_LOCKS=0
export LC_ALL GIT_OPTIONAL_LOCKS
tab=$(printf '\t')
newline='
'
# Folders whose files no person wrote.
trying=
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

bytes_of() { if have wc; then printf '%s' $(($(wc -c <"$1"))); else printf '0'; fi; }

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
    [ "$files_copied" -lt "$files_max" ] || return 0
    [ -e "$out/files$1" ] && return 0
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

# ---------------------------------------------------------------- host

collect_host() {
    say "host: disk, memory of processes, network, services"
    mkdir -p "$out/host"
    printf '%s\n' "$env_text" >"$out/host/env.txt"
    have id && { table host/whoami id -un; table host/id.txt id; }
    if have date; then
        try table host/date date --iso-8601=seconds || try table host/date date -Iseconds || table host/date date '+%Y-%m-%dT%H:%M:%S%z'
    fi
    if have df; then
        try table host/df.txt df -P -B1 || disk_in_bytes
        table host/df-inodes.txt df -P -i
    fi
    have systemd-detect-virt && table host/virt.txt systemd-detect-virt
    have systemctl && table host/units.txt systemctl list-units --all --no-legend --no-pager
    if have journalctl && journal_is_readable; then
        stream host/journal.jsonl journalctl -o json --no-pager --since "-3 days" -n "$log_lines_max"
    fi
    if have dmesg; then try stream host/dmesg.txt dmesg -T || stream host/dmesg.txt dmesg; fi
    have ps && table host/ps.txt ps -eo pid,ppid,user,lstart,args
    collect_listeners
    collect_open_files
    collect_versions
    collect_packages
}

# journalctl prints nothing and succeeds where it may not read, which is not "nothing there".
journal_is_readable() {
    for journal in /var/log/journal/*/*.journal /run/log/journal/*/*.journal; do
        [ -r "$journal" ] && return 0
    done
    return 1
}

# df of a BusyBox without -B1, brought to bytes.
disk_in_bytes() {
    have awk || return 0
    df -P -k 2>/dev/null | awk 'NR == 1 { sub(/1024-blocks|1k-blocks|1K-blocks/, "1-blocks"); print; next }
        { $2 = sprintf("%.0f", $2 * 1024); $3 = sprintf("%.0f", $3 * 1024); $4 = sprintf("%.0f", $4 * 1024); print }' >"$out/host/df.txt"
}

collect_listeners() {
    if have ss; then
        try table host/listeners.txt ss -H -ltnup && return 0
        limited ss -ltnup 2>/dev/null | sed 1d >"$out/host/listeners.txt"
        [ -s "$out/host/listeners.txt" ] || drop host/listeners.txt "its command failed"
    elif have netstat && have awk; then
        limited netstat -ltnup >"$out/.netstat" 2>/dev/null || limited netstat -ltnu >"$out/.netstat" 2>/dev/null || { rm -f "$out/.netstat"; return 0; }
        awk 'BEGIN { OFS = "\t"; print "proto", "address", "port", "process", "container" }
            $1 ~ /^(tcp|udp)/ {
                at = match($4, /:[0-9*]+$/); process = $NF; sub(/^[0-9]+\//, "", process)
                if (process !~ /[A-Za-z]/ || process == "LISTEN") process = ""
                print $1, substr($4, 1, at - 1), substr($4, at + 1), process, ""
            }' "$out/.netstat" >"$out/host/listeners.tsv"
        rm -f "$out/.netstat"
    fi
}

# Files that are held open for writing, from the links in /proc.
collect_open_files() {
    have ls && have awk || return 0
    # Who sees only their own processes does not know what else is held open.
    ls /proc/1/fd >/dev/null 2>&1 || { say "  left out host/open-files.tsv: only root sees them all"; return 0; }
    printf 'pid\tcommand\tmode\tpath\n' >"$out/host/open-files.tsv"
    for process in /proc/[0-9]*; do
        [ -r "$process/fd" ] || continue
        command=
        read -r command 2>/dev/null <"$process/comm" || continue
        ls -l "$process/fd" 2>/dev/null | awk -v pid="${process#/proc/}" -v command="$command" '
            BEGIN { OFS = "\t" }
            $1 ~ /^l.w/ && (at = index($0, " -> /")) {
                path = substr($0, at + 4)
                if (path !~ /^\/(dev|proc|sys|memfd)/) print pid, command, ($1 ~ /^lr/ ? "rw" : "w"), path
            }'
    done >>"$out/host/open-files.tsv" 2>/dev/null
}

version_line() { [ -n "$2" ] && printf '%s\t%s\n' "$1" "$2"; }

# The first word of a text that begins with a digit, or with v and a digit.
version_word() {
    for word in $1; do
        word=${word#v}
        case $word in [0-9]*.*) printf '%s' "${word%,}"; return 0 ;; esac
    done
    return 1
}

collect_versions() {
    {
        printf 'name\tversion\n'
        version_line kernel "$(uname -r 2>/dev/null)"
        if have docker; then
            version_line docker "$(version_word "$(limited docker --version 2>/dev/null)")"
            version_line compose "$(limited docker compose version --short 2>/dev/null)"
        fi
        for tool in git bash rsync python3 psql pg_dump redis-server caddy traefik node curl systemctl; do
            have "$tool" && version_line "$tool" "$(version_word "$(limited "$tool" --version 2>/dev/null)")"
        done
        have nginx && version_line nginx "$(limited nginx -v 2>&1 | sed 's|.*/||')"
    } >"$out/host/versions.tsv"
}

collect_packages() {
    to="$out/host/packages.tsv"
    printf 'name\tversion\n' >"$to"
    if have dpkg-query; then
        limited dpkg-query -W -f '${Package}\t${Version}\n' >>"$to" 2>/dev/null
    elif have rpm; then
        limited rpm -qa --qf '%{NAME}\t%{VERSION}-%{RELEASE}\n' >>"$to" 2>/dev/null
    elif have apk; then
        limited apk info -v 2>/dev/null | sed 's/-\([0-9][^-]*-r[0-9]*\)$/\t\1/' >>"$to"
    elif have pacman; then
        limited pacman -Q 2>/dev/null | tr ' ' '\t' >>"$to"
    else
        rm -f "$to"
    fi
}

# ---------------------------------------------------------------- docker

collect_docker() {
    have docker || { say "docker: no docker command here"; return 0; }
    say "docker: containers, networks, volumes, images"
    mkdir -p "$out/docker"
    table docker/context.json docker context ls --format '{{json .}}'
    table docker/context docker context show
    collect_sockets
    if ! table docker/ps.jsonl docker ps -a --no-trunc --format '{{json .}}'; then
        say "  the Docker engine does not answer"
        return 0
    fi
    inspected docker/inspect.json "ps -aq --no-trunc" inspect
    inspected docker/networks.json "network ls -q --no-trunc" "network inspect"
    inspected docker/volumes.json "volume ls -q" "volume inspect"
    inspected docker/images.json "image ls -q --no-trunc" "image inspect"
    limited docker ps -a --format '{{.Names}}' 2>/dev/null >"$out/.names"
    while IFS= read -r container; do
        container=${container%%,*}
        case $container in '' | */* | .* | -*) continue ;; esac
        say "  log of $container"
        log "docker/logs/$container.log" docker logs --timestamps --tail "$log_lines_max" "$container"
    done <"$out/.names"
    rm -f "$out/.names"
    collect_mounts
}

# inspected FILE LIST INSPECT: an array of what is listed, which may be empty.
# Ids and these commands are words without blanks.
# shellcheck disable=SC2086
inspected() {
    if ! ids=$(limited docker $2 2>/dev/null); then
        drop "$1" "its list failed"
    elif [ -z "$ids" ]; then
        printf '[]\n' >"$out/$1"
    else
        table "$1" docker $3 $ids
    fi
}

collect_sockets() {
    printf 'path\tanswers\n' >"$out/docker/sockets.tsv"
    for socket in /var/run/docker.sock "${XDG_RUNTIME_DIR:-/nonexistent}/docker.sock" "${HOME:-}/.docker/run/docker.sock" \
        "${HOME:-}/.docker/desktop/docker.sock" "${HOME:-}/.colima/default/docker.sock"; do
        [ -S "$socket" ] || continue
        if [ ! -w "$socket" ]; then
            answers=denied
        elif limited docker -H "unix://$socket" version >/dev/null 2>&1; then
            answers=yes
        else
            answers=no
        fi
        printf '%s\t%s\n' "$socket" "$answers" >>"$out/docker/sockets.tsv"
    done
}

# What is mounted from the host: sizes, trees, small configuration files, and
# whether a container still sees the inode that the host has.
collect_mounts() {
    limited docker ps -q --no-trunc 2>/dev/null >"$out/.ids"
    printf 'container\tpath\thost-inode\tcontainer-inode\n' >"$out/docker/inodes.tsv"
    while IFS= read -r id; do
        limited docker inspect --format '{{range .Mounts}}{{$.State.Pid}}|{{$.Name}}|{{.Type}}|{{.Source}}|{{.Destination}}
{{end}}' "$id" 2>/dev/null
    done <"$out/.ids" >"$out/.mounts"
    rm -f "$out/.ids"
    while IFS='|' read -r pid container type source destination; do
        [ -n "${destination:-}" ] || continue
        container=${container#/}
        printf '%s\n' "$source" >>"$out/.sources"
        [ "$type" = bind ] || continue
        host_inode=$(inode "$source")
        seen_inode=$(inode "/proc/$pid/root$destination")
        printf '%s\t%s\t%s\t%s\n' "$container" "$destination" "$host_inode" "$seen_inode" >>"$out/docker/inodes.tsv"
        if [ -f "$source" ]; then
            copy "$source"
        else
            case $source in *traefik* | *nginx* | *caddy* | *haproxy* | *proxy*) copy_all "$source" 3 ;; esac
        fi
    done <"$out/.mounts"
    rm -f "$out/.mounts"
}

# The inode behind a path: - where there is none, nothing where one may not look.
inode() {
    if [ -e "$1" ]; then
        have stat && stat -L -c %i "$1" 2>/dev/null
        return 0
    fi
    above=${1%/*}
    while [ -n "$above" ] && [ ! -e "$above" ]; do above=${above%/*}; done
    [ -x "${above:-/}" ] && printf -- '-'
}

# Compose files, env files and folders of the projects that containers belong to.
collect_labels() {
    have docker || return 0
    limited docker ps -aq --no-trunc 2>/dev/null >"$out/.ids"
    while IFS= read -r id; do
        limited docker inspect --format '{{index .Config.Labels "com.docker.compose.project.working_dir"}}|{{index .Config.Labels "com.docker.compose.project.config_files"}}|{{index .Config.Labels "com.docker.compose.project.environment_file"}}' "$id" 2>/dev/null
    done <"$out/.ids" >"$out/.labels"
    rm -f "$out/.ids"
    while IFS='|' read -r folder configs envs; do
        case $folder in /*) add_project "$folder" ;; esac
        rest="$configs,$envs,"
        while [ -n "$rest" ]; do
            one=${rest%%,*}
            rest=${rest#*,}
            case $one in /*) copy "$one" ;; esac
        done
    done <"$out/.labels"
    rm -f "$out/.labels"
}

# ---------------------------------------------------------------- projects and files

# Projects are kept one a line; a folder named twice counts once.
add_project() {
    [ -d "$1" ] || return 0
    case $newline$projects in *"$newline$1$newline"*) return 0 ;; esac
    projects=$projects$1$newline
}

collect_projects() {
    printf '%s' "$projects" >"$out/.projects"
    while IFS= read -r project; do
        say "project $project: compose, env and source files, logs"
        copy_project "$project"
        collect_git "$project"
    done <"$out/.projects"
    rm -f "$out/.projects"
}

# find_in DIR DEPTH TEST...: finds below a project, past folders that no person wrote and the casefile itself.
find_in() {
    top=$1
    depth=$2
    shift 2
    # shellcheck disable=SC2086
    limited find "$top" -maxdepth "$depth" \( $unwritten -o -path "$out" \) -prune -o "$@" 2>/dev/null
}

copy_project() {
    have find || return 0
    find_in "$1" 6 -type f -size "-${file_kb_max}k" \( -name '*compose*.y*ml' -o -name '.env*' -o -name '*.env' -o -name '*_env' \
        -o -name '*.env.*' -o -name 'Dockerfile*' -o -name 'Containerfile*' -o -name 'Caddyfile*' -o -name 'Makefile' -o -name 'Procfile' -o -name '*.y*ml' -o -name '*.toml' \
        -o -name '*.conf' -o -name '*.cfg' -o -name '*.ini' -o -name '*.properties' -o -name '*.sh' -o -name '*.sql' -o -name '*.service' \
        -o -name '*.py' -o -name '*.js' -o -name '*.ts' -o -name '*.mjs' -o -name '*.cjs' -o -name '*.go' -o -name '*.rb' -o -name '*.php' \
        -o -name '*.java' -o -name '*.kt' -o -name '*.rs' -o -name '*.cs' -o -name '*.ex' -o -name '*.exs' -o -name package.json \
        -o -name requirements.txt \) -print >"$out/.list"
    while IFS= read -r path; do copy "$path"; done <"$out/.list"
    find_in "$1" 3 -type f -name '*.log' -print >"$out/.list"
    while IFS= read -r path; do
        component=${path##*/}
        tail_log "$path" "${component%%.*}"
    done <"$out/.list"
    rm -f "$out/.list"
}

# A casefile has one repository: that of the first project which is one.
collect_git() {
    have git || return 0
    # A repository is not trusted: nothing that its configuration names is run.
    set -- git --no-pager -c safe.directory='*' -c core.fsmonitor=false -c log.showSignature=false -C "$1"
    limited "$@" rev-parse --git-dir >/dev/null 2>&1 || return 0
    if [ -e "$out/git" ]; then
        say "  its repository is left out: a casefile holds one, collect it apart"
        return 0
    fi
    mkdir -p "$out/git"
    table git/log.txt "$@" log --stat --date=iso-strict --no-ext-diff --no-textconv -n 2000
    table git/status.txt "$@" status --porcelain=v2 --branch
    table git/stash.txt "$@" stash list
    table git/worktrees.txt "$@" worktree list
}

collect_configuration() {
    say "files: resolver, log rotation, proxies, units"
    for path in /etc/resolv.conf /etc/hosts /etc/logrotate.conf /etc/docker/daemon.json /etc/fstab /etc/crontab /etc/caddy/Caddyfile \
        /etc/nginx/nginx.conf /etc/haproxy/haproxy.cfg /etc/os-release; do
        copy "$path"
    done
    for folder in /etc/logrotate.d /etc/nginx/conf.d /etc/nginx/sites-enabled /etc/caddy /etc/traefik /etc/cron.d; do
        copy_all "$folder" 3
    done
    for path in /etc/systemd/system/*.service /etc/systemd/system/*.timer; do copy "$path"; done
    say "logs: the end of each"
    for path in /var/log/syslog /var/log/messages; do tail_log "$path" "${path##*/}"; done
    for folder in nginx caddy traefik haproxy postgresql redis; do
        for path in /var/log/"$folder"/*.log; do
            component=${path##*/}
            tail_log "$path" "$folder-${component%%.*}"
        done
    done
}

# Traefik's own account of its routes, where a Traefik runs and its API is open.
collect_proxy() {
    [ -f "$out/docker/ps.jsonl" ] || return 0
    case $(cat "$out/docker/ps.jsonl") in *[Tt]raefik*) ;; *) return 0 ;; esac
    for part in routers services entrypoints; do
        path="http/$part"
        [ "$part" = entrypoints ] && path=entrypoints
        url="http://127.0.0.1:8080/api/$path"
        if have curl; then
            answer=$(limited curl -fsS -m 5 "$url" 2>/dev/null) || continue
        elif have wget; then
            answer=$(limited wget -q -T 5 -O - "$url" 2>/dev/null) || continue
        else
            return 0
        fi
        case $answer in '['*) mkdir -p "$out/proxy" && printf '%s\n' "$answer" >"$out/proxy/$part.json" ;; esac
    done
}

# ---------------------------------------------------------------- trees and sizes

# Rows of a directory are all there or none, since a reader takes an entry that is
# missing beside others for one that does not exist. So what is too large is listed
# less deep, never cut off, and of the folders that no person wrote the top is listed.
collect_trees() {
    have find || return 0
    say "trees: modes, owners and times below projects and mounts"
    to="$out/host/tree.tsv"
    if find / -maxdepth 0 -printf '' 2>/dev/null; then
        printf 'type\tmode\tuid\tuser\tgid\tgroup\tsize\tmtime\tinode\tdev\tpath\tlink-target\ttarget-type\n' >"$to"
        columns='%#m\t%U\t%u\t%G\t%g\t%s\t%T@\t%i\t%D\t%p\t%l\t%Y\n'
        rows() {
            limited find "$@" \( -type d ! \( -readable -executable \) -printf "\t$columns" -o -printf "%y\t$columns" \) 2>/dev/null
            in_time "$?"
        }
    elif have stat && stat -c '%A%i' / >/dev/null 2>&1 && have awk; then
        printf 'type\tmode\tuid\tuser\tgid\tgroup\tsize\tmtime\tinode\tdev\tpath\n' >"$to"
        rows() {
            {
                limited find "$@" -exec stat -c '%A|%a|%u|%U|%g|%G|%s|%Y|%i|%d|%n' {} + 2>/dev/null
                printf '%s' "$?" >"$out/.status"
            } | awk '
                { kind = substr($0, 1, 1); if (kind == "-") kind = "f"
                  sub(/^[^|]*[|]/, ""); for (i = 0; i < 9; i++) sub(/[|]/, "\t"); print kind "\t0" $0 }' | closed_doors
            status=$(cat "$out/.status")
            rm -f "$out/.status"
            in_time "$status"
        }
    else
        return 0
    fi
    {
        printf '%s' "$projects"
        cat "$out/.sources" 2>/dev/null
    } | unique >"$out/.tops"
    printf 'bytes\tpath\n' >"$out/host/du.tsv"
    while IFS= read -r top; do
        tree_of "$top"
    done <"$out/.tops"
    [ -s "$out/.tops" ] || rm -f "$to" "$out/host/du.tsv"
    rm -f "$out/.tops" "$out/.sources" "$out/.rows"
}

# A folder that may not be entered is listed without its type, lest it pass for an empty one.
closed_doors() {
    while IFS= read -r row; do
        path=${row##*"$tab"}
        case $row in d*) [ -r "$path" ] && [ -x "$path" ] || row=${row#d} ;; esac
        printf '%s\n' "$row"
    done
}

tree_of() {
    top=$1
    depths=$tree_depths
    # A mount that is gone shows in the listing of what is left above it.
    while [ -n "$top" ] && [ ! -e "$top" ]; do top=${top%/*} depths=1; done
    case $top in '' | / | /etc | /usr | /var | /home | /root | /opt | /srv) top=${top:-/} depths=1 ;; esac
    case $top/ in /proc/* | /sys/* | /dev/* | /run/* | /var/run/*) depths=0 ;; esac
    for depth in $depths; do
        below_top "$top" "$depth" >"$out/.rows" || continue
        [ "$(lines_of "$out/.rows")" -le "$tree_lines_max" ] || continue
        cat "$out/.rows" >>"$to"
        break
    done
    if [ "$depths" = "$tree_depths" ] && have du; then
        # A sum that could not see everything is no size.
        if sum=$(limited du -s -k -x "$top" 2>/dev/null); then
            printf '%s\t%s\n' "$((${sum%%"$tab"*} * 1024))" "$top" >>"$out/host/du.tsv"
        fi
    fi
}

below_top() {
    # shellcheck disable=SC2086
    rows "$1" -maxdepth "$2" \( \( $unwritten -o -path "$out" \) -prune -o -name '*' \) || return 1
    [ "$2" -gt 1 ] || return 0
    # shellcheck disable=SC2086
    limited find "$1" -mindepth 1 -maxdepth $(($2 - 1)) -type d \( $unwritten \) -prune -print 2>/dev/null >"$out/.unwritten"
    while IFS= read -r folder; do rows "$folder" -mindepth 1 -maxdepth 1; done <"$out/.unwritten"
    rm -f "$out/.unwritten"
}

lines_of() { if have wc; then printf '%s' $(($(wc -l <"$1"))); else printf '0'; fi; }

first_lines() { if have head; then head -n "$1"; else cat; fi; }

# ---------------------------------------------------------------- sessions of agents

collect_sessions() {
    have find || return 0
    say "sessions: transcripts of the last $session_days_max days"
    {
        printf '%s\n' "${HOME:-/root}" /root
        for home in /home/*; do printf '%s\n' "$home"; done
    } | unique >"$out/.homes"
    while IFS= read -r home; do
        for folder in .claude/projects .codex/sessions .gemini/tmp .copilot/session-state; do
            [ -d "$home/$folder" ] && [ -r "$home/$folder" ] && copy_sessions "$home" "$folder"
        done
    done <"$out/.homes"
    rm -f "$out/.homes"
    case ${CLAUDE_CONFIG_DIR:-} in /*) [ -d "$CLAUDE_CONFIG_DIR/projects" ] && copy_sessions "$CLAUDE_CONFIG_DIR" projects ;; esac
}

# Looked at, and none there, is an empty folder; a host without the folder has none.
copy_sessions() {
    mkdir -p "$out/sessions"
    limited find "$1/$2" -type f \( -name '*.jsonl' -o -name '*.meta.json' -o -name 'session-*.json' \) \
        -mtime "-$session_days_max" 2>/dev/null | first_lines "$sessions_max" >"$out/.list"
    while IFS= read -r path; do
        room || break
        to="sessions$path"
        mkdir -p "$out/${to%/*}"
        if [ "$(bytes_of "$path")" -le "$log_bytes_max" ]; then
            cat "$path" >"$out/$to" 2>/dev/null || rm -f "$out/$to"
        else
            # The first line of what is left is a piece of one.
            last_bytes "$log_bytes_max" <"$path" | sed 1d >"$out/$to"
        fi
    done <"$out/.list"
    rm -f "$out/.list"
}

# ---------------------------------------------------------------- head of the casefile

quoted() {
    case $1 in
        *[\\\"]*) printf '"%s"' "$(printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g')" ;;
        *) printf '"%s"' "$1" ;;
    esac
}

write_head() {
    host=$(uname -n 2>/dev/null) || host=
    [ -n "$host" ] || read -r host 2>/dev/null </proc/sys/kernel/hostname || host=unknown
    zone=
    if [ -r /etc/timezone ]; then read -r zone </etc/timezone; fi
    first=${projects%%"$newline"*}
    {
        printf 'schema = "coroner/casefile/v1"\n'
        printf 'host = %s\n' "$(quoted "$host")"
        have date && printf 'collected_at = "%s"\n' "$(date -u '+%Y-%m-%dT%H:%M:%SZ')"
        [ -z "$zone" ] || printf 'timezone = %s\n' "$(quoted "$zone")"
        [ -z "$first" ] || printf 'root = %s\n' "$(quoted "$first")"
        printf 'redacted = false\n'
    } >"$out/casefile.toml"
}

pack() {
    have tar || return 0
    room || return 0
    if have zstd && tar -C "${out%/*}" -cf - "${out##*/}" 2>/dev/null | zstd -q -o "$out.tar.zst" 2>/dev/null; then
        say "archive: $out.tar.zst"
    elif tar -C "${out%/*}" -cf "$out.tar" "${out##*/}" 2>/dev/null; then
        say "archive: $out.tar"
    else
        rm -f "$out.tar" "$out.tar.zst"
    fi
}

warn_unredacted() {
    say "WARNING: this casefile is UNREDACTED. It holds passwords, tokens and transcripts as they are."
    say "Handle it like the secrets it holds: do not mail it, do not commit it, delete it when done."
}

main() {
    out=
    projects=
    files_copied=0
    while getopts o:h option; do
        case $option in
            o) out=$OPTARG ;;
            h) usage; exit 0 ;;
            *) usage; exit 2 ;;
        esac
    done
    shift $((OPTIND - 1))
    for project in "$@"; do
        folder=$(CDPATH='' cd -- "$project" 2>/dev/null && pwd) || die "no project folder $project" "give folders that exist"
        add_project "$folder"
    done
    [ -n "$out" ] || out="coroner-casefile-$(uname -n 2>/dev/null || printf host)-$(date -u '+%Y%m%dT%H%M%SZ' 2>/dev/null || printf now)"
    case $out in /*) ;; *) out=$(pwd)/$out ;; esac
    out=${out%/}
    mkdir "$out" 2>/dev/null || die "cannot make the folder $out" "name a folder that does not exist yet, where you may write"
    chmod 700 "$out"
    warn_unredacted
    collect_host
    collect_docker
    collect_labels
    collect_projects
    collect_configuration
    collect_proxy
    collect_trees
    collect_sessions
    write_head
    pack
    say "casefile: $out"
    warn_unredacted
}

main "$@"
