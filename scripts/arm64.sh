#!/bin/sh
# What `verify --arch arm64` and its tests need: qemu's user mode, Debian's Python for arm64 and the runtimes' aarch64
# wheels, unpacked in a cache folder, and a cross compiler. The system's own architectures stay as they are: apt works
# in a folder of its own, with the mirrors and keys that it knows. PYTHON names a Python with pip; CI may lack nothing.
cd "$(dirname "$0")" || exit 1
cache="${XDG_CACHE_HOME:-$HOME/.cache}/melanoma-edge/arm64"
lock="arm64-packages.txt" # package, version, sha256 of the .deb
wheels="arm64-wheels.txt"
python="${PYTHON:-python3}"
tools="qemu-user-static gcc libc6-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross"

missing() {
  echo "ARM64 will not be emulated: $1" >&2
  [ -z "$CI" ] || exit 1
  exit 0
}

have() { command -v qemu-aarch64-static && command -v gcc && command -v aarch64-linux-gnu-gcc; }

if ! have >/dev/null; then
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    { apt-get update && apt-get install -y --no-install-recommends $tools; } >/dev/null 2>&1 ||
      missing "apt-get could not install $tools"
  fi
  have >/dev/null || missing "install $tools (Debian: apt-get install $tools)"
fi
if cat "$lock" "$wheels" | cmp -s - "$cache/installed"; then exit 0; fi
for tool in apt-get dpkg-deb sha256sum; do
  command -v $tool >/dev/null || missing "$tool is not there; on Debian 12, or in a container of it, this script works"
done
"$python" -m pip --version >/dev/null 2>&1 || missing "$python has no pip: set PYTHON to one that has"

mkdir -p "$(dirname "$cache")" || missing "$cache cannot be written: set XDG_CACHE_HOME"
new="$(mktemp -d "$cache.XXXXXX")" || missing "$cache cannot be written: set XDG_CACHE_HOME"
trap 'rm -rf "$new"' EXIT
mkdir -p "$new/apt/lists/partial" "$new/apt/archives/partial" "$new/debs" "$new/root"
: >"$new/apt/status"
last_words() { grep -v '^ *$' "$new/log" | tail -n 1; }
private_apt() {
  apt-get -qq -o Dir::State="$new/apt" -o Dir::State::status="$new/apt/status" -o Dir::Cache="$new/apt" \
    -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User="$(id -un)" \
    -o Acquire::Languages=none "$@"
}
private_apt update >"$new/log" 2>&1 ||
  missing "apt's mirrors gave no arm64 packages (Ubuntu's main ones have none; Debian 12's have): $(last_words)"
cd "$new/debs" || exit 1
while read -r name version sum; do
  if private_apt download "$name=$version" >"$new/log" 2>&1; then
    echo "$sum  $(ls "${name}"_*.deb)" | sha256sum -c --quiet - >&2 || { echo "$name is not the file that was pinned" >&2; exit 1; }
  elif private_apt download "$name" >"$new/log" 2>&1; then # replaced by a security update: apt checked its signature
    echo "note: the mirror no longer has $name $version; took $(ls "${name}"_*.deb), signed by Debian" >&2
  else
    missing "apt's mirrors have no $name for arm64, which Debian 12 has: $(last_words)"
  fi
  dpkg-deb -x "${name}"_*.deb "$new/root" || exit 1
  dpkg-deb -f "${name}"_*.deb Package Version | sed 's/^[^ ]* //' | paste -sd ' ' >>"$new/packages"
done <"$OLDPWD/$lock"
cd "$OLDPWD" || exit 1
"$python" -m pip install --quiet --disable-pip-version-check --target "$new/root/wheels" --require-hashes --no-deps \
  --no-compile --only-binary=:all: --python-version 3.11 --implementation cp --abi cp311 \
  --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 -r "$wheels" 2>"$new/log" ||
  missing "pip could not fetch the aarch64 wheels of $wheels: $(last_words)"
rm -rf "$new/apt" "$new/debs" "$new/log"
cat "$lock" "$wheels" >"$new/installed"
rm -rf "$cache" && mv "$new" "$cache" && chmod 755 "$cache"
