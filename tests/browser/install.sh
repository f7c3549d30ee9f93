#!/bin/sh
# A Chromium for the tests of the page: one that is there, else Debian's, else the one that Playwright brings.
set -eu

for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if found=$(command -v "$name"); then
        echo "The tests of the page use $found."
        exit 0
    fi
done

# Ubuntu's package of that name is only a pointer to a snap.
if [ "$(id -u)" = 0 ] && grep -qs '^ID=debian' /etc/os-release; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends chromium fonts-noto-cjk
elif [ "$(id -u)" = 0 ]; then
    exec "$1" -m playwright install --with-deps chromium
else
    exec "$1" -m playwright install chromium
fi
