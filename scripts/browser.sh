#!/bin/sh
# What the browser tests need: Debian's chromium, and the Node packages of web/ as package-lock.json has them.
# Where something cannot be had it says so and ends well: those tests then skip, and name this script.
cd "$(dirname "$0")/../web" || exit 1

if ! command -v chromium >/dev/null; then
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    { apt-get update && apt-get install -y --no-install-recommends chromium; } >/dev/null 2>&1 ||
      echo "browser tests will skip: apt-get could not install chromium" >&2
  else
    echo "browser tests will skip: install chromium (Debian: apt-get install chromium)" >&2
  fi
fi

if ! command -v npm >/dev/null; then
  echo "browser tests will skip: install Node.js 20 or later with npm" >&2
elif ! cmp -s package-lock.json node_modules/.installed; then
  if npm ci --ignore-scripts --silent; then cp package-lock.json node_modules/.installed
  else echo "browser tests will skip: npm ci failed in web/" >&2
  fi
fi
exit 0
