# Coroner judges each line typed into this bash before it runs.
if [[ $- == *i* && -t 0 ]]; then
    _coroner_pending=
    _coroner_silent=

    _coroner_judge() {
        [[ $READLINE_LINE == *[![:space:]]* ]] || return 0
        # A line that goes on is judged together with what was typed before it.
        local text=$_coroner_pending$READLINE_LINE
        # Not as an argument: every process list could read it there.
        @CORONER@ exec --line <<<"$text"
        local code=$?
        case $code in
            0) _coroner_pending=$text$'\n' ;;
            # Refused, or the question was answered by Ctrl-C.
            1 | 130)
                history -s -- "$READLINE_LINE"
                READLINE_LINE=
                READLINE_POINT=0
                ;;
            *)
                if [[ -z $_coroner_silent ]]; then
                    printf 'coroner could not judge this line (exit %s); lines run unjudged until it can\n' "$code" >&2
                    _coroner_silent=1
                fi
                ;;
        esac
    }

    _coroner_prompt() {
        local code=$?
        _coroner_pending=
        return "$code"
    }
    # As a string also where it is an array: then this is its first element.
    PROMPT_COMMAND="_coroner_prompt${PROMPT_COMMAND:+;$PROMPT_COMMAND}"

    for _coroner_map in emacs vi-insert vi-command; do
        bind -m "$_coroner_map" -x '"\C-x\C-q1": _coroner_judge'
        bind -m "$_coroner_map" '"\C-x\C-q2": accept-line'
        bind -m "$_coroner_map" '"\C-m": "\C-x\C-q1\C-x\C-q2"'
        bind -m "$_coroner_map" '"\C-j": "\C-x\C-q1\C-x\C-q2"'
    done
    unset _coroner_map
fi
