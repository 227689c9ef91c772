# bash completion for flowstore. tests/package/test_pages.py compares it with what flowstore --help says.

_flowstore() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command='' index
  local commands='serve check healthcheck usage export import migrate gc'
  for ((index = 1; index < COMP_CWORD; index++)); do
    case ${COMP_WORDS[index]} in
      --config|--home|--project|--from|--to|--from-tree|--to-tree|--live|--delete|--quiet-days) ((index++)) ;;
      -*) ;;
      *) command=${COMP_WORDS[index]}; break ;;
    esac
  done

  case $before in
    --config|--from|--to|--live) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --home|--from-tree|--to-tree) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    --project|--delete|--quiet-days) COMPREPLY=(); return ;;
  esac

  local options='--config --home --help'
  case $command in
    '') options+=' --version' ;;
    check|healthcheck) options+=' --json' ;;
    usage|export) options+=' --json --project' ;;
    import) options+=' --json --project --dry-run --replace' ;;
    migrate) options+=' --json --project --dry-run --from --to --from-tree --to-tree' ;;
    gc) options+=' --json --live --delete --quiet-days' ;;
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  elif [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
  elif [[ $command == export || $command == import ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  else
    COMPREPLY=()
  fi
}

complete -o filenames -F _flowstore flowstore ff-file-storage
