
# Files, logs and history of projects, and the configuration of the host.

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
