#!/usr/bin/env bash
# The doors of the library, each gone through by the program of README.md's "Use the library" in an empty project.
#   doors.sh DOOR SOURCE BUILD COMPILER
# `install` goes first: it leaves in BUILD/doors what the others use.
set -euo pipefail
door=$1 source=$2 build=$3 compiler=$4
installed=$build/doors/installed

PKG_CONFIG_PATH=$(dirname "$(find "$build/doors" -name qisa.pc 2>/dev/null)")
export PKG_CONFIG_PATH

place=$(mktemp -d)  # outside the source
trap 'rm -rf "$place"' EXIT
cd "$place"

fail() { echo "doors: $*"; exit 1; }

# The n-th indented block of the section, without its indentation.
block() {
  awk -v wanted="$1" '
    /^## / {inside = $0 == "## Use the library"}
    !inside {next}
    /^    / {if (!within) ++count; within = 1}
    /^[^ ]/ {within = 0}
    within && count == wanted {print substr($0, 5)}' "$source/README.md"
}

project() {
  block 2 >xor.cpp
  block 3 >CMakeLists.txt
  [ -s xor.cpp ] && [ -s CMakeLists.txt ] || fail "README.md has no program or no CMakeLists.txt"
}

configure() { cmake -G "Unix Makefiles" -S . -B built -DCMAKE_CXX_COMPILER="$compiler" "$@" >configure.log 2>&1; }

# The program must have learned the exclusive or.
check_run() {
  local version said
  version=$(sed -n 's/.* version = "\(.*\)";/\1/p' "$source/tensor/version.hpp")
  said=$("$1")
  echo "$said"
  [[ $said =~ ^"QISA $version: loss 0.0"[0-9]+$ ]] || fail "expected 'QISA $version: loss' below 0.1"
}

refused() {  # PIECE LOG: what a failed build must say
  grep -q "$1" "$2" || { cat "$2"; fail "the message does not say $1"; }
}

case $door in
  install)
    rm -rf "$build/doors"
    cmake --install "$build" --prefix "$build/doors/elsewhere" >/dev/null
    mv "$build/doors/elsewhere" "$installed"  # it may be moved
    ! grep -rlE "$source/|$build/|doors/elsewhere" "$installed" --include='*.cmake' --include='*.pc' --include='*.hpp' \
      || fail "these name folders of the build"
    ;;
  find_package)
    project
    configure -DCMAKE_PREFIX_PATH="$installed" || { cat configure.log; exit 1; }
    cmake --build built
    check_run built/xor
    ;;
  pkg-config)
    project
    line=$(block 5)
    eval "${line/g++/$compiler}"
    check_run ./xor
    ;;
  subdirectory)  # with the library's packages alone; compiled against its headers, not linked: the library takes long
    project
    sed -i "s|find_package(qisa 1 REQUIRED)|add_subdirectory(\"$source\" qisa)|" CMakeLists.txt
    mkdir tensor && echo '#error a file of the program, not of the library' >tensor/tensor.hpp
    configure -DCMAKE_DISABLE_FIND_PACKAGE_{CLI11,Catch2,benchmark}=ON || { cat configure.log; exit 1; }
    ! grep -qE 'march|-W|fopenmp' built/CMakeFiles/xor.dir/flags.make || fail "options of the library reach the program"
    cmake --build built --target qisa_headers
    make -C built xor.o
    ;;
  flavours)
    echo '#include <qisa/tensor/shape.hpp>
          int main() { return static_cast<int>(qisa::Shape({2, 3}).size() + sizeof(qisa::Real)); }' >main.cpp
    link() { $compiler -std=c++20 $(pkg-config --cflags "$1") main.cpp $(pkg-config --libs "$2") -o program 2>log; }
    exit_code() { status=0; ./program || status=$?; echo $status; }
    link qisa qisa && [ "$(exit_code)" = 10 ] || { cat log; fail "6 elements and 4 bytes are 10"; }
    link qisa_double qisa_double && [ "$(exit_code)" = 14 ] || { cat log; fail "6 elements and 8 bytes are 14"; }
    ! link qisa qisa_double || fail "links the flavour that it is not"
    refused links_the_library_for_double_but_does_not_define_QISA_DOUBLE log
    ! link qisa_double qisa || fail "links the flavour that it is not"
    refused defines_QISA_DOUBLE_but_links_the_library_for_float log
    project
    sed -i 's/PRIVATE qisa::qisa/PRIVATE qisa::qisa qisa::qisa_double/' CMakeLists.txt
    ! configure -DCMAKE_PREFIX_PATH="$installed" || fail "a program links both flavours"
    refused QISA_FLAVOUR configure.log
    ;;
  namespaces)  # all headers, no name of which is one of std's, without the library's options: no vectors, no warnings
    {
      for header in algorithm array cmath complex filesystem functional iostream map numeric random ranges set thread \
                    tuple utility valarray variant vector; do
        echo "#include <$header>"
      done
      echo '#include <qisa/qisa.hpp>'
      echo 'using namespace std; using namespace qisa;'
      find "$installed/include/qisa" -name '*.hpp' -print0 | xargs -0 cat \
        | awk '!/^template/ && before !~ /^template/ {print} {before = $0}' \
        | sed -nE 's/^(class|struct|enum class|using) ([A-Za-z]+)( final)?( [{:=].*|;)$/static_assert(sizeof(\2*) > 0);/p' \
        | sort -u
      echo 'int main() { return static_cast<int>(sum(exp(Variable(Tensor::zeros({0})))).value().item()); }'
    } >main.cpp
    [ "$(grep -c static_assert main.cpp)" -gt 50 ] || fail "finds few types"
    $compiler -std=c++20 -Wall -Wextra -Wpedantic -Werror -I"$installed/include" -c main.cpp
    ;;
  headers)  # each by itself
    export compiler installed
    cd "$installed/include"
    find qisa -name '*.hpp' | xargs -P "$(nproc)" -I{} sh -c 'for flavour in "" -DQISA_DOUBLE; do
      echo "#include <{}>" | $compiler -std=c++20 $flavour -Wall -Wextra -Wpedantic -Werror -I. -x c++ -c - -o /dev/null || exit 255
    done'
    ;;
  fetch)  # the whole library within another project
    project
    sed -i "s|find_package(qisa 1 REQUIRED)|include(FetchContent)\nFetchContent_Declare(qisa SOURCE_DIR \"$source\")\nFetchContent_MakeAvailable(qisa)|" CMakeLists.txt
    configure || { cat configure.log; exit 1; }
    cmake --build built --parallel "$(nproc)" >build.log 2>&1 || { tail -n 30 build.log; exit 1; }
    [ ! -e built/_deps/qisa-build/libqisa_double.a ] || fail "builds the flavour that nobody asked for"
    check_run built/xor
    ;;
  *) fail "no door $door" ;;
esac
