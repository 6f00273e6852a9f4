#!/usr/bin/env bash
# Sources are compiled together in any number (QISA_BATCH), so that a name in an anonymous namespace belongs to one file
# of a target. Tests have none: a test file's names are in a namespace named after it.
#   names.sh SOURCE
set -euo pipefail
cd "$1"

# "NAME FILE" for each function, variable and type; for an alias its text in place of the file, which may come again.
names() {
  awk '
    function emit(text, file) {
      gsub(/\[\[[^]]*\]\]/, "", text); gsub(/template *<[^<>]*>/, "", text); gsub(/ +/, " ", text); gsub(/^ | $/, "", text)
      if (text ~ /^(using namespace|static_assert)/) return
      if (text ~ /^(using|namespace) .*=/) {
        file = text; gsub(/ /, "", file); sub(/^(using|namespace) /, "", text)
      }
      while (gsub(/<[^<>]*>/, "", text)) {}
      if (text ~ /^(enum class|struct|class|enum|union) /) sub(/^(enum class|struct|class|enum|union) /, "", text)
      else { sub(/[=(\[].*/, "", text); gsub(/ +$/, "", text); sub(/.*[ *&:]/, "", text) }
      sub(/[^A-Za-z0-9_].*/, "", text)
      if (text != "" && text != "operator") print text, file
    }
    FNR == 1 {inside = depth = 0; text = ""}
    /^namespace \{/ {inside = 1; depth = 0; text = ""; next}
    /^\}/ && depth == 0 {inside = 0}
    !inside || /^ *#/ {next}
    {
      gsub(/\\["\\]/, ""); gsub(/"[^"]*"/, "\"\""); gsub(/\x27[^\x27]*\x27/, "0"); sub(/\/\/.*/, "")
      for (i = 1; i <= length($0); ++i) {
        c = substr($0, i, 1)
        if (depth == 0 && (c == "{" || c == ";")) {emit(text, FILENAME); text = ""}
        else if (depth == 0) text = text c
        if (c == "{") ++depth
        if (c == "}" && --depth == 0) text = ""
      }
      text = text " "
    }' "$@"
}

clashes=0
check() {
  [ $# -gt 0 ] || { echo "names: no sources"; exit 1; }
  local found
  found=$(names "$@" | sort -u | awk '{++count[$1]; where[$1] = where[$1] " " $2} END {for (name in count) if (count[name] > 1) print name ":" where[name]}')
  if [ -n "$found" ]; then
    echo "$found"
    clashes=1
  fi
}

[ "$(names tensor/fast/blas_kernel.cpp | grep -c uses_avx2)" = 1 ] || { echo "names: finds nothing"; exit 1; }
check $(find tensor autograd quantum nn -name '*.cpp')
for folder in $(find apps -mindepth 1 -type d); do check $(find "$folder" -name '*.cpp'); done
if grep -lr --include='*_test.cpp' '^namespace {' tests; then
  echo "names: these tests have an anonymous namespace; name it after the file"
  clashes=1
fi
[ $clashes = 0 ] || { echo "names: those of anonymous namespaces above are in several files, which do not compile together"; exit 1; }
