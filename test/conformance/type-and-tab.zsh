# Types into an interactive shell as a person does: zsh -f type-and-tab.zsh TYPED COMMAND… Prints what the terminal shows then.
# The command's shell prints READY when it waits, and on ^X^L its line as LINE<…>.
zmodload zsh/zpty
typed=$1; shift
zpty -b shell "${(j: :)${(@q)@}}"
collect() {
  local all chunk
  repeat 300; do
    if zpty -r shell chunk 2>/dev/null; then all+=$chunk; else sleep 0.1; fi
    if [[ $all == *${~1}* ]]; then print -r -- $all; return 0; fi
  done
  print -r -- $all; return 1
}
collect READY || exit 1
zpty -w -n shell "$typed"$'\t\C-x\C-l'
collect 'LINE<*>'
zpty -d shell
