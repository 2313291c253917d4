#!/bin/sh
# What the Java tests need: a JDK 17, JUnit 4 and JNA, from Debian's packages; and Kotlin, for the sample app's.
# Where something cannot be had, those tests skip and name this script; in CI nothing but Kotlin may be missing, which
# not every Debian has.

missing() {
  echo "Java tests will skip: $1" >&2
  [ -z "$CI" ] || exit 1
  exit 0
}

have() {
  javac -version 2>&1 | grep -q '^javac 17\.' && [ -e /usr/share/java/junit4.jar ] &&
    [ -e /usr/share/java/hamcrest.jar ] && [ -e /usr/share/java/jna.jar ]
}

kotlin() {
  command -v kotlinc >/dev/null || echo "the sample app's Kotlin test will skip: install kotlin" >&2
}

have && command -v kotlinc >/dev/null && exit 0
packages="openjdk-17-jdk-headless junit4 libjna-java"
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  { apt-get update && apt-get install -y --no-install-recommends $packages; } >/dev/null 2>&1 ||
    missing "apt-get could not install $packages"
  apt-get install -y --no-install-recommends kotlin >/dev/null 2>&1
fi
kotlin
have || missing "install $packages (Debian: apt-get install $packages), with javac 17 first in PATH"
exit 0
