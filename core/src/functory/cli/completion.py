"""``functory completion``: what makes a shell complete verbs, options, components, functions and samples."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser, Namespace

from functory.cli import SUMMARIES
from functory.contracts.command import Command

BASH = r"""# functory's completion for bash: eval "$(functory completion bash)"
_functory() {
    local IFS=$'\n' typed="${COMP_LINE:0:COMP_POINT}" before=""
    COMPREPLY=($("$1" completion bash --line "$typed" 2>/dev/null))
    typed="${typed##*[[:space:]]}"
    if [[ $typed == *[:=]* && $COMP_WORDBREAKS == *:* ]]; then  # bash completes what is behind them alone
        before="${typed%"${typed##*[:=]}"}"
        COMPREPLY=("${COMPREPLY[@]#"$before"}")
    fi
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/:=] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o default -F _functory functory
"""
ZSH = r"""#compdef functory
# functory's completion for zsh, after compinit: eval "$(functory completion zsh)"
_functory() {
    local word help
    local -a found told open
    while IFS=$'\t' read -r word help; do
        if [[ $word == *[/:=] ]]; then
            open+=("$word")
        else
            found+=("$word")
            told+=("${word}${help:+  -- $help}")
        fi
    done < <("${words[1]}" completion zsh --line "${(j: :)words[1,CURRENT]}" 2>/dev/null)
    (( $#open )) && compadd -Q -S '' -- "${open[@]}"
    (( $#found )) && compadd -Q -l -d told -- "${found[@]}"
    (( $#open + $#found )) || _files
}
compdef _functory functory
"""
FISH = r"""# functory's completion for fish: functory completion fish > ~/.config/fish/completions/functory.fish
function __functory_complete
    set -l found (functory completion fish --line (commandline -cp | string collect) 2>/dev/null)
    if set -q found[1]
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c functory -f -a '(__functory_complete)'
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


class Completion(Command):
    """Print a shell's script; with ``--line``, which the script says, answer what may follow."""

    help = SUMMARIES["completion"]
    example = 'eval "$(functory completion bash)"\nfunctory completion fish > ~/.config/fish/completions/functory.fish'

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("shell", choices=tuple(SCRIPTS), help="the shell that is to read it")
        parser.add_argument("--line", help=argparse.SUPPRESS)

    def run(self, args: Namespace) -> int:
        if args.line is None:
            if args.json:
                from functory.cli.output import print_json

                print_json({"shell": args.shell, "script": SCRIPTS[args.shell]})
            else:
                print(SCRIPTS[args.shell], end="")
            return 0
        from functory.cli.completing import candidates

        for word, told in candidates(args.line, quotes=args.shell != "fish"):
            print(word if args.shell == "bash" or not told else f"{word}\t{told}")
        return 0


COMMAND = Completion()
