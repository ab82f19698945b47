#!/bin/zsh -f
# Prints what an interactive zsh offers after the text of the second argument, one a line, if the completion script is
# _adit in the folder of the first argument. An inner zsh completes in a pseudo terminal; its compadd prints what it is given.
zmodload zsh/zpty || exit 1
zpty inner zsh -f -i
setopt rcquotes
local line
() {
  zpty -w inner "source $1"
  repeat 8; do
    zpty -r inner line
    [[ $line == ready* ]] && return
  done
  exit 2
} =( <<< '
PROMPT=
fpath=('${(q)1}' $fpath)
autoload compinit
compinit -u -D
bindkey ''^M'' undefined
bindkey ''^J'' undefined
bindkey ''^I'' complete-word
mark() { echo -E - $''\0'' }
compprefuncs=( mark )
comppostfuncs=( mark exit )
zstyle '':completion:*'' insert-tab false
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
    builtin compadd "$@"
    return $?
  fi
  typeset -a found
  builtin compadd -A found "$@"
  local item
  for item in $found; do echo -E - $IPREFIX$item; done
  builtin compadd "$@"
}
echo ready' )
zpty -w inner "$2"$'\t'
integer marks=0
while zpty -r inner; do :; done | while IFS= read -r line; do
  if [[ $line == *$'\0\r' ]]; then
    (( marks++ )) && exit 0 || continue
  fi
  (( marks )) && echo -E - ${line%$'\r'}
done
exit 3
