#!/usr/bin/env bash
# Writes what the compiler reads: the headers take longer than the code, so that files of a folder are compiled together.
#
#   units.sh DIR SIZE    DIR/FOLDER-NUMBER.cpp for each SIZE files of a folder of src; prints their names
#
# DIR/version.cpp has those that know the version, so that another one does not compile everything anew.
# A unit is written only where it changes. The rule `names` of test/check keeps the files of a folder from meeting in one.
set -euo pipefail
dir=$1 size=$2
know_version=(src/pg/module.cpp src/pg/sql_version.cpp)
written=

# write_unit NAME FILE…
write_unit() {
    local unit=$dir/$1.cpp text
    text=$(printf '#include "%s"\n' "${@:2}")
    if [ ! -f "$unit" ] || [ "$(<"$unit")" != "$text" ]; then printf '%s\n' "$text" >"$unit"; fi
    written+=" $unit"
}

mkdir -p "$dir"
for folder in src/core src/core/* src/pg; do
    files=()
    for file in "$folder"/*.cpp; do
        if [ -f "$file" ] && [[ " ${know_version[*]} " != *" $file "* ]]; then files+=("$file"); fi
    done
    name=${folder#src/}
    for ((first = 0; first < ${#files[@]}; first += size)); do
        write_unit "${name//\//_}-$((first / size))" "${files[@]:first:size}"
    done
done
write_unit version "${know_version[@]}"
# With what was compiled of them: CMakeLists.txt takes every object that is there.
for made in "$dir"/*.cpp "$dir"/*.o "$dir"/*.d; do
    if [[ "$written " != *" ${made%.*}.cpp "* ]]; then rm -f "$made"; fi
done
echo "$written"
