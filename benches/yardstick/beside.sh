#!/usr/bin/env bash
# Ours beside Presidio, over the same texts in one run and one table: benches/yardstick/beside.sh [FOLDER]
#
# FOLDER has the foreign sets (../shared/redaction/dev). Each of them is judged with a model of ours that has not seen it,
# our own held and useful notes with the one that ships. PYTHON is Python 3.12 or newer; Presidio goes to a folder of its
# own outside the project, VENV, at the first run.
set -euo pipefail
foreign=$(realpath "${1:-../shared/redaction/dev}")
cd "$(dirname "$0")/../.."
here=benches/yardstick
venv=${VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/strongroom-presidio}
sets=(--only tab144 --only secnotes --only presidio_synth --only panorama151 --only notes-held --only notes-useful)
notes=(tests/notes/held tests/notes/useful)

cargo build --release --locked --features training --bin yardstick
yardstick=${CARGO_TARGET_DIR:-target}/release/yardstick
if ! cmp -s "$here/presidio.txt" "$venv/presidio.txt"; then
  "${PYTHON:-python3}" -m venv "$venv"
  "$venv/bin/pip" install --quiet --requirement "$here/presidio.txt"
  cp "$here/presidio.txt" "$venv/presidio.txt"
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$yardstick" texts "$foreign" "${notes[@]}" "${sets[@]}" > "$scratch/texts"
"$venv/bin/python" -W ignore "$here/presidio.py" < "$scratch/texts" > "$scratch/presidio"
"$venv/bin/python" -W ignore "$here/presidio.py" --all < "$scratch/texts" > "$scratch/all"
spans=(--spans "presidio=$scratch/presidio" --spans "pres-all=$scratch/all")
"$yardstick" measure "$foreign" --leave-out --train tests/notes/train "${sets[@]}" "${spans[@]}"
"$yardstick" measure "${notes[@]}" "${spans[@]}" | tail -n +2
# Apart from the training, which needs more.
"$yardstick" measure "$foreign" "${notes[@]}" "${sets[@]}" "${spans[@]}" --peak | grep '^peak memory'
