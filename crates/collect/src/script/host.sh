
# The host itself: disk, processes, network, services, versions.

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
