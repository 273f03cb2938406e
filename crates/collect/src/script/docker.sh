
# What the docker command tells.

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
    limited docker ps -aq --no-trunc 2>/dev/null >"$out/.ids"
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
        # A stopped container sees nothing.
        if [ "$pid" != 0 ]; then
            printf '%s\t%s\t%s\t%s\n' "$container" "$destination" "$(inode "$source")" "$(inode "/proc/$pid/root$destination")" >>"$out/docker/inodes.tsv"
        fi
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
