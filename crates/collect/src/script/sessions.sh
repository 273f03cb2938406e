
# Transcripts of agents.

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

# The newest first. Looked at, and none there, is an empty folder; a host without the folder has none.
copy_sessions() {
    mkdir -p "$out/sessions"
    limited find "$1/$2" -type f \( -name '*.jsonl' -o -name '*.meta.json' -o -name 'session-*.json' \) \
        -mtime "-$session_days_max" -exec ls -t {} + 2>/dev/null | first_lines "$sessions_max" >"$out/.list"
    while IFS= read -r path; do
        room || break
        [ "$sessions_copied" -lt "$sessions_bytes_max" ] || { say "  left out $path: enough transcripts"; continue; }
        to="sessions$path"
        mkdir -p "$out/${to%/*}"
        if [ "$(bytes_of "$path")" -le "$log_bytes_max" ]; then
            cat "$path" >"$out/$to" 2>/dev/null || rm -f "$out/$to"
        else
            # The first line of what is left is a piece of one.
            last_bytes "$log_bytes_max" <"$path" | sed 1d >"$out/$to"
        fi
        sessions_copied=$((sessions_copied + $(bytes_of "$out/$to")))
    done <"$out/.list"
    rm -f "$out/.list"
}
