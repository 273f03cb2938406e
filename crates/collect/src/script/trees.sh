
# Listings and sizes below projects and mounts.

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
