#!/usr/bin/env bash
# Usage: hack/deps.sh PACKAGE...
# Installs the Debian packages that are missing, saying so first. Where it cannot, it says what to install.
. "$(dirname "$0")/lib.sh"

missing=()
for package in "$@"; do
  have dpkg-query || fail "this is no Debian: install $* by hand"
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
[ "$(id -u)" = 0 ] || fail "not root: run  sudo apt-get install ${missing[*]}"

say "installing with apt-get: ${missing[*]}"
install() { DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}" >/dev/null; }
# The package lists of a fresh machine are empty or old.
install 2>/dev/null || { apt-get -qq update && install; } || fail "apt-get could not install ${missing[*]}"
