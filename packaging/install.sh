#!/bin/sh
# Installs the command adit from a release of Adit, for this machine, or removes it.
# Rule: nothing of the release runs before its sum was compared and the signature of the sums was verified. What is
# there already is replaced at the end, at once, or not at all. Keys and configuration are never touched.
# Not here: services and man pages, which the Debian package has.
set -eu

# Filled in by the release.
version=''
signers=''

usage() {
  cat <<'TEXT'
usage: sh install.sh [--from PLACE] [--prefix FOLDER] [--signers FILE | --unsigned]
       sh install.sh --remove [--prefix FOLDER]

  --from PLACE      where the release is: a folder or an https URL (default: where this script is)
  --prefix FOLDER   adit goes to FOLDER/bin (default: /usr/local for root, else ~/.local)
  --signers FILE    who may sign a release, an allowed_signers file as of ssh-keygen(1)
                    (default: what this script carries, if its release was signed)
  --unsigned        compare the sums only: for a release that nobody signed, from a place that you trust
  --remove          remove adit; keys and configuration stay
TEXT
}

fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

# The machine in the words of the names of files. Prints one line.
machine() {
  [ "$(uname -s)" = Linux ] ||
    fail "this is $(uname -s), and the executables are for Linux: use the npm package with Node 24 or newer"
  case "$(uname -m)" in
    x86_64 | amd64) echo x64 ;;
    aarch64 | arm64) echo arm64 ;;
    *) fail "there is no executable for $(uname -m): use the npm package with Node 24 or newer" ;;
  esac
}

# The executable needs the C library of GNU, 2.28 or newer.
check_libc() {
  libc=$(getconf GNU_LIBC_VERSION 2>/dev/null) || libc=''
  case "$libc" in
    'glibc '*) libc=${libc#glibc } ;;
    *) fail 'this system has no glibc (Alpine has musl): use the image, or the npm package with Node 24 or newer' ;;
  esac
  major=${libc%%.*}
  minor=${libc#*.}
  minor=${minor%%.*}
  if [ "$major" -lt 2 ] || { [ "$major" -eq 2 ] && [ "$minor" -lt 28 ]; }; then
    fail "this system has glibc $libc, and adit needs 2.28 or newer: use the image"
  fi
}

# fetch NAME FILE: a file of the release
fetch() {
  case "$from" in
    https://* | http://*)
      if command -v curl >/dev/null 2>&1; then
        curl -fsSL -o "$2" "$from/$1"
      elif command -v wget >/dev/null 2>&1; then
        wget -q -O "$2" "$from/$1"
      else
        fail 'curl or wget is needed to download'
      fi
      ;;
    *) cp -- "$from/$1" "$2" ;;
  esac || fail "$from has no $1"
}

verify_signature() {
  if [ "$unsigned" = yes ]; then
    echo 'install.sh: the signature is not verified (--unsigned)' >&2
    return
  fi
  if [ -n "$signers_file" ]; then
    cp -- "$signers_file" "$work/signers" || fail "cannot read $signers_file"
  elif [ -n "$signers" ]; then
    printf '%s\n' "$signers" >"$work/signers"
  else
    fail 'nobody signed this release: get one that is signed, or give --unsigned if you trust where it is from'
  fi
  command -v ssh-keygen >/dev/null 2>&1 ||
    fail 'ssh-keygen is needed to verify the signature (package openssh-client or openssh-clients)'
  fetch SHA256SUMS.sig "$work/SHA256SUMS.sig"
  ssh-keygen -q -Y verify -f "$work/signers" -I adit-release -n adit-release -s "$work/SHA256SUMS.sig" \
    <"$work/SHA256SUMS" >/dev/null || fail 'the signature of SHA256SUMS is not of an allowed signer: nothing was installed'
}

# verify_sum NAME FILE
verify_sum() {
  wanted=$(awk -v name="$1" '$2 == name { print $1 }' "$work/SHA256SUMS")
  [ -n "$wanted" ] || fail "SHA256SUMS has no $1"
  if command -v sha256sum >/dev/null 2>&1; then
    found=$(sha256sum <"$2")
  else
    found=$(shasum -a 256 <"$2")
  fi
  [ "${found%% *}" = "$wanted" ] || fail "$1 does not have the sum of SHA256SUMS: nothing was installed"
}

# The loader names the library that is missing, one at a time.
check_start() {
  said=$("$1" --version 2>&1) && return
  case "$said" in
    *libatomic.so.1*) package='libatomic1 (Debian, Ubuntu) or libatomic (Fedora, RHEL, SUSE)' ;;
    *libstdc++.so.6*) package='libstdc++6 (Debian, Ubuntu, SUSE) or libstdc++ (Fedora, RHEL)' ;;
    *libgcc_s.so.1*) package='libgcc-s1 (Debian, Ubuntu, SUSE) or libgcc (Fedora, RHEL)' ;;
    *) fail "adit does not start here: $said" ;;
  esac
  fail "a shared library is missing: install $package, then run this again. Nothing was installed"
}

install_adit() {
  name="adit-$version-linux-$(machine)"
  check_libc
  fetch SHA256SUMS "$work/SHA256SUMS"
  verify_signature
  # Beside its place, so that it takes it in one step.
  mkdir -p -- "$prefix/bin" || fail "cannot make $prefix/bin"
  next=$(mktemp "$prefix/bin/.adit.XXXXXX") || fail "cannot write to $prefix/bin: choose another --prefix, or be root"
  fetch "$name" "$next"
  verify_sum "$name" "$next"
  chmod 0755 "$next"
  check_start "$next"
  mv -f -- "$next" "$prefix/bin/adit"
  next=''
  echo "installed adit $version: $prefix/bin/adit"
  case ":$PATH:" in
    *":$prefix/bin:"*) ;;
    *) echo "$prefix/bin is not in your PATH" ;;
  esac
}

remove_adit() {
  [ -e "$prefix/bin/adit" ] || fail "there is no $prefix/bin/adit"
  if command -v dpkg >/dev/null 2>&1 && dpkg -S "$prefix/bin/adit" >/dev/null 2>&1; then
    fail "$prefix/bin/adit belongs to a package: apt-get remove adit"
  fi
  rm -f -- "$prefix/bin/adit" || fail "cannot remove $prefix/bin/adit"
  echo "removed $prefix/bin/adit; keys and configuration stay"
}

from=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
prefix=''
signers_file=''
unsigned=no
remove=no
while [ $# -gt 0 ]; do
  case "$1" in
    --from | --prefix | --signers)
      [ $# -gt 1 ] || fail "$1 needs a value; see --help"
      case "$1" in
        --from) from=${2%/} ;;
        --prefix) prefix=${2%/} ;;
        *) signers_file=$2 ;;
      esac
      shift
      ;;
    --unsigned) unsigned=yes ;;
    --remove) remove=yes ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) fail "unknown: $1; see --help" ;;
  esac
  shift
done
[ -n "$version" ] || fail 'this is the template: use the install.sh of a release'
if [ -z "$prefix" ]; then
  if [ "$(id -u)" -eq 0 ]; then prefix=/usr/local; else prefix=$HOME/.local; fi
fi

if [ "$remove" = yes ]; then
  remove_adit
  exit 0
fi
next=''
work=$(mktemp -d) || fail 'cannot make a folder for what is downloaded'
clean_up() {
  rm -rf -- "$work"
  [ -z "$next" ] || rm -f -- "$next"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
install_adit
