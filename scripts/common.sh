# Shared by the scripts beside it, which source it: where the project is, and what it needs from the machine.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

say() { printf '\n== %s\n' "$*"; }

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

need_go() {
  command -v go >/dev/null || die "Go is not installed; get Go $(sed -n 's/^go //p' go.mod) or later from https://go.dev/dl/ and put it on the PATH"
  go version >/dev/null || die "\`go version\` fails; this project needs Go $(sed -n 's/^go //p' go.mod) or later"
}

in_ci() { [ "${CI:-}" = true ]; }

have_sshd() { command -v sshd >/dev/null || [ -x /usr/sbin/sshd ] || [ -x /usr/local/sbin/sshd ]; }

# ensure WHAT PACKAGES CHECK...: runs CHECK; where it fails, installs PACKAGES if we are root on Debian, else says what to
# install. What stays missing is a failure in CI; elsewhere the tests that need it say that they were skipped.
ensure() {
  local what=$1 packages=$2
  shift 2
  if "$@"; then
    return 0
  fi
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "$what: installing $packages"
    # Word splitting of $packages is wanted: it is a list.
    # shellcheck disable=SC2086
    if ! (apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $packages) >"$log" 2>&1; then
      tail -n 20 "$log" >&2
    fi
  fi
  if "$@"; then
    return 0
  fi
  printf '%s: %s is missing. On Debian or Ubuntu run:\n    sudo apt-get install -y --no-install-recommends %s\n' "${0##*/}" "$what" "$packages" >&2
  if in_ci; then
    die "in CI nothing may be skipped"
  fi
  printf '%s: going on without it; the tests that need it are skipped.\n' "${0##*/}" >&2
  return 0
}

# have_office reports whether a workbook can be turned into pictures with Chinese in them.
have_office() {
  command -v soffice >/dev/null && command -v pdftoppm >/dev/null && fc-list 2>/dev/null | grep -i 'noto.*cjk' >/dev/null
}

ensure_office() {
  ensure "LibreOffice with Chinese fonts" "libreoffice-calc fonts-noto-cjk poppler-utils fontconfig" have_office
}
