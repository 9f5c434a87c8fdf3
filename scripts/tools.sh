#!/bin/sh
# Check for the tools outside Python that the whole test suite uses. As root on Debian or Ubuntu the missing ones
# are installed; elsewhere the command to install them is printed and the script fails.
set -eu

chromium_name() {
    for name in chromium chromium-browser google-chrome; do
        if command -v "$name" >/dev/null 2>&1; then
            echo "$name"
            return 0
        fi
    done
    [ -x "/Applications/Chromium.app/Contents/MacOS/Chromium" ] && echo Chromium.app && return 0
    [ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ] && echo "Google Chrome.app" && return 0
    return 1
}

missing() {
    packages=""
    chromium_name >/dev/null || packages="$packages chromium"
    command -v node >/dev/null 2>&1 || packages="$packages nodejs"
    command -v npm >/dev/null 2>&1 || packages="$packages npm"
    java -version >/dev/null 2>&1 || packages="$packages default-jre-headless"
    if [ "$(uname -s)" = Linux ]; then
        command -v strace >/dev/null 2>&1 || packages="$packages strace"
    fi
    echo "$packages"
}

wanted="$(missing)"
if [ -n "$wanted" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing for the tests:$wanted"
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted fonts-dejavu-core >/dev/null
    wanted="$(missing)"
fi

if [ -n "$wanted" ]; then
    cat >&2 <<MESSAGE
The whole test suite also needs:$wanted
  Debian, Ubuntu   sudo apt-get install$wanted
  macOS            brew install node openjdk@17 && brew install --cask chromium
'make quick' runs the tests that need none of them.
MESSAGE
    exit 1
fi

node_major="$(node -p 'process.versions.node.split(".")[0]')"
if [ "$node_major" -lt 18 ]; then
    echo "The vendors' Node SDKs need node 18 or newer; found $(node --version)." >&2
    exit 1
fi
