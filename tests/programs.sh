#!/bin/sh
# The programs of others that tests speak to, from Debian: DCMTK, dicom3tools, Orthanc with DICOMweb, OpenSSL.
# A machine is changed only where it was said so: LIVERMRE_INSTALL_DEBIAN=1 (.ci/run says it) or CI is set, we are root,
# and apt-get is there. Whatever happens, status 0: tests skip what is missing, and give the reason.
set -u
ROOT=${LIVERMRE_TEST_ROOT:-} # the tests of this script put another root here

missing=
need() { missing="$missing $1"; }
has() { command -v "$1" >/dev/null 2>&1; }
for program in storescu echoscu findscu movescu dcmqrscp dcmdump dsrdump dcm2pdf; do
  has "$program" || { need dcmtk; break; }
done
has dciodvfy || need dicom3tools
has Orthanc || [ -x "$ROOT/usr/sbin/Orthanc" ] || need orthanc
[ -e "$ROOT/usr/share/orthanc/plugins/libOrthancDicomWeb.so" ] || need orthanc-dicomweb
has openssl || need openssl
missing=${missing# }
[ -n "$missing" ] || exit 0

skipped="the tests that need them are skipped."
case ${LIVERMRE_INSTALL_DEBIAN:-${CI:-}} in
'' | 0 | false)
  echo "Not installed: $missing (Debian's names); $skipped As root, LIVERMRE_INSTALL_DEBIAN=1 make test installs them."
  exit 0
  ;;
esac
has apt-get || { echo "Not installed, and there is no apt-get: $missing; $skipped"; exit 0; }
[ "$(id -u)" = 0 ] || { echo "Not installed, and only root can: $missing; $skipped"; exit 0; }

said=$(mktemp) || exit 0
trap 'rm -f "$said"' EXIT
export DEBIAN_FRONTEND=noninteractive
get() { # seconds, words for apt-get
  limit=$1
  shift
  timeout "$limit" apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o DPkg::Lock::Timeout=30 "$@" \
    </dev/null >>"$said" 2>&1
}
echo "Installing $missing from Debian, for the tests ..."
get 20 update # without a network it may still be known where the packages lie
# shellcheck disable=SC2086 # one word a package
get 70 install --yes --no-install-recommends $missing && exit 0
why=$(grep '^E:' "$said" | tail -n 1)
echo "apt-get could not install $missing (${why:-no answer within its time limit}); $skipped"
exit 0
