
# The head of the casefile, the archive, and the order of everything.

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
    sessions_copied=0
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
