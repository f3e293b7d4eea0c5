# What a benchmark needs, by the Debian package that brings it; to be sourced.
#     need PACKAGE COMMAND...   the package is missing if the command fails
#     needed                    ends the script, naming all that is missing
missing=
need() {
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
needed() {
    [ -n "$missing" ] || return 0
    echo "$(basename "$0") needs these packages: apt-get install$missing" >&2
    exit 1
}
