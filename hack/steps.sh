# Steps of a long script, announced as they begin and timed: sourced after lib.sh.

step_name='' step_begun=0 steps=() resume=''

# step ends the step before and begins the next.
step() {
  step_done
  step_name=$1 step_begun=$SECONDS
  say "
== $1   (after $SECONDS s)"
}

step_done() {
  [ -n "$step_name" ] || return 0
  steps+=("$(printf '%-32s %4d s' "$step_name" $((SECONDS - step_begun)))")
  step_name=''
}

# finish ends the last step and prints what each took.
finish() {
  step_done
  say "
== done in $SECONDS s"
  printf '%s\n' "${steps[@]}" >&2
}

# leaves says what the script would leave behind from here on, should it stop.
leaves() { resume=$1; }

# stopped is for the EXIT trap: says where a script that did not finish stopped, and what it may have left.
stopped() {
  [ "$1" -ne 0 ] || return 0
  [ -z "$step_name" ] || say "
stopped with exit code $1 in step \"$step_name\", after $SECONDS s"
  [ -z "$resume" ] || say "$resume"
}
