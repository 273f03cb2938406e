# Coroner judges each line typed into this zsh before it runs.
if [[ -o interactive && -t 0 ]]; then
    typeset -g _coroner_silent=

    _coroner_accept_line() {
        if [[ $BUFFER != *[![:space:]]* ]]; then
            zle _coroner_accept_before
            return
        fi
        # Not as an argument: every process list could read it there.
        @CORONER@ exec --line <<<"$PREBUFFER$BUFFER"
        local code=$?
        # Refused, or the question was answered by Ctrl-C.
        if (( code == 1 || code == 130 )); then
            print -sr -- "$BUFFER"
            BUFFER=
            zle -I
            # The lines before it go with it.
            [[ -n $PREBUFFER ]] && zle .send-break
            return 0
        fi
        if (( code != 0 )) && [[ -z $_coroner_silent ]]; then
            zle -I
            print -ru2 -- "coroner could not judge this line (exit $code); lines run unjudged until it can"
            _coroner_silent=1
        fi
        zle _coroner_accept_before
    }

    # What other plugins made of the key stays in force.
    if [[ ${widgets[accept-line]:-} != user:_coroner_accept_line ]]; then
        zle -A accept-line _coroner_accept_before
        zle -N accept-line _coroner_accept_line
    fi
fi
