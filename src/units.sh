#!/usr/bin/env bash
# Writes what the compiler reads: the headers take longer than the code, so that files of a folder are compiled together.
#
#   units.sh DIR SIZE    DIR/FOLDER-NUMBER.cpp for each SIZE files of a folder of src; prints their names
#
# A unit is written only where it changes. The rule `names` of test/check keeps the files of a folder from meeting in one.
set -euo pipefail
dir=$1 size=$2

mkdir -p "$dir"
written=
for folder in src/core src/core/* src/pg; do
    files=("$folder"/*.cpp)
    if [ ! -f "${files[0]}" ]; then continue; fi
    name=${folder#src/}
    for ((first = 0; first < ${#files[@]}; first += size)); do
        unit=$dir/${name//\//_}-$((first / size)).cpp
        text=$(printf '#include "%s"\n' "${files[@]:first:size}")
        if [ ! -f "$unit" ] || [ "$(<"$unit")" != "$text" ]; then printf '%s\n' "$text" >"$unit"; fi
        written+=" $unit"
    done
done
for unit in "$dir"/*.cpp; do
    if [[ "$written " != *" $unit "* ]]; then rm "$unit"; fi
done
echo "$written"
