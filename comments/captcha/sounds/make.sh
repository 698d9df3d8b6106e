#!/bin/sh
# Makes the recordings of the digits: sounds/{vi,en}/{0…9}.wav, 8 kHz, mono, 8-bit mu-law,
# trimmed of silence and levelled alike. Needs espeak-ng and sox:
#
#	apt-get install espeak-ng sox && ./make.sh
#
# The same versions of both make the same bytes.
set -eu
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# record LANG VOICE WORDS_PER_MINUTE PITCH WORD…: ten words, from zero to nine
record() {
	lang=$1 voice=$2 speed=$3 pitch=$4
	shift 4
	mkdir -p "$lang"
	digit=0
	for word in "$@"; do
		espeak-ng -v "$voice" -s "$speed" -p "$pitch" -w "$tmp/raw.wav" "$word"
		# Trim both ends, keep what a telephone carries, narrow the loudness so that a soft
		# final consonant stands above noise, and level the peaks.
		sox -D -R "$tmp/raw.wav" "$tmp/tight.wav" \
			silence 1 0.002 0.8% reverse silence 1 0.002 0.8% reverse \
			gain -9 highpass 100 rate -v 8000 lowpass 3700 treble 4 2200 \
			compand 0.002,0.06 6:-60,-60,-30,-14,0,-6 0 -60 0 norm -1.5 \
			fade t 0.004 reverse fade t 0.02 reverse
		sox -D -R "$tmp/tight.wav" -r 8000 -c 1 -e mu-law -b 8 "$lang/$digit.wav"
		digit=$((digit + 1))
	done
}

record vi vi 135 40 không một hai ba bốn năm sáu bảy tám chín
record en en-us 180 45 zero one two three four five six seven eight nine
