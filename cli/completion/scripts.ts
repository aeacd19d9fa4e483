import { fileURLToPath } from "node:url";
import { shellWord } from "../../foundation/text.ts";
import { isPacked } from "../../foundation/own_package.ts";

/** Shells for which there is a completion. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** One of {@link SHELLS}. */
export type Shell = (typeof SHELLS)[number];

/**
 * The line that asks for words; the command line up to the cursor follows. Deno opens a database in the way that leaves no files beside
 * it only for programs that may do all.
 */
function asking(): string {
  const program = fileURLToPath(new URL(isPacked ? "complete.js" : "complete.ts", import.meta.url));
  return [
    ...[
      Deno.execPath(),
      "run",
      "--quiet",
      "--no-prompt",
      "--no-config",
      "--no-lock",
      "--cached-only",
      "--no-check",
    ],
    ...["--allow-all", program],
  ].map(shellWord).join(" ");
}

/** What a shell runs to complete `retort …` and `deno task …`; other words after `deno` are completed as before. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell](asking());
}

const SCRIPTS: Readonly<Record<Shell, (ask: string) => string>> = {
  bash: (ask) =>
    `# Completion of retort and of deno task in bash: eval "$(deno task completion bash)"
_retort_complete() {
  local typed word about left=""
  COMPREPLY=()
  {
    IFS= read -r typed || return 0
    # bash breaks words at = : and @ as well: what it has before the last of them is left out.
    case $typed in *"$2") left=\${typed%"$2"} ;; esac
    while IFS=$'\\t' read -r word about; do
      case $word in */ | *=) compopt -o nospace 2>/dev/null ;; esac
      word=\${word#"$left"}
      case $word in *[!A-Za-z0-9_.,:=@%+/-]*) printf -v word %q "$word" ;; esac
      COMPREPLY+=("$word")
    done
  } < <(${ask} "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}
_retort_complete_deno() {
  local i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      -*) ;;
      task) _retort_complete "$@"; return ;;
      *) break ;;
    esac
  done
  if declare -F _deno >/dev/null; then _deno "$@"; else COMPREPLY=(); fi
}
complete -F _retort_complete retort
complete -o bashdefault -o default -F _retort_complete_deno deno
`,
  zsh: (ask) =>
    `#compdef retort deno
# Completion of retort and of deno task in zsh: eval "$(deno task completion zsh)"
_retort_complete() {
  local -a lines plain open plain_about open_about
  local line word about
  lines=("\${(@f)$(${ask} "\${(j: :)\${(@q)\${(@Q)words[1,CURRENT-1]}}} \${PREFIX}" 2>/dev/null)}")
  shift lines
  for line in $lines; do
    [[ -z $line ]] && continue
    word=\${line%%$'\\t'*} about=\${line#*$'\\t'}
    [[ -n $about ]] && about="$word  -- $about" || about=$word
    if [[ $word == */ || $word == *= ]]; then open+=("$word") open_about+=("$about")
    else plain+=("$word") plain_about+=("$about")
    fi
  done
  compadd -l -d plain_about -a plain
  compadd -l -S '' -d open_about -a open
}
_retort_complete_deno() {
  local i
  for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
      -*) ;;
      task) _retort_complete; return ;;
      *) break ;;
    esac
  done
  if (( $+functions[_deno] )); then _deno "$@"; else _default; fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _retort_complete retort
compdef _retort_complete_deno deno
`,
  fish: (ask) =>
    `# Completion of retort and of deno task in fish: deno task completion fish | source
function __retort_complete
    ${ask} (commandline -cp | string collect) 2>/dev/null | tail -n +2
end
function __retort_is_task
    for word in (commandline -opc)[2..]
        string match -q -- '-*' $word; and continue
        test $word = task; and return 0
        return 1
    end
    return 1
end
# Its own completion of deno begins with forgetting all others: it is loaded before.
type -q deno; and complete -C 'deno ' >/dev/null 2>&1
complete -c retort -f -a '(__retort_complete)'
complete -c deno -n __retort_is_task -f -a '(__retort_complete)'
`,
};
