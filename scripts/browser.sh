#!/bin/sh
# What the browser tests need: Debian's chromium, and the Node packages of web/ as package-lock.json has them.
# Where something cannot be had, those tests skip and name this script; in CI nothing may be missing.
cd "$(dirname "$0")/../web" || exit 1

missing() {
  echo "browser tests will skip: $1" >&2
  [ -z "$CI" ] || exit 1
}

if ! command -v chromium >/dev/null; then
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    { apt-get update && apt-get install -y --no-install-recommends chromium; } >/dev/null 2>&1 ||
      missing "apt-get could not install chromium"
  else
    missing "install chromium (Debian: apt-get install chromium)"
  fi
fi

if ! command -v npm >/dev/null; then
  missing "install Node.js 20 or later with npm"
elif ! cmp -s package-lock.json node_modules/.installed; then
  if npm ci --ignore-scripts --silent; then cp package-lock.json node_modules/.installed
  else missing "npm ci failed in web/"
  fi
fi
exit 0
