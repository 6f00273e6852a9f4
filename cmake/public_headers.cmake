# Writes the headers that callers may include into FOLDER/qisa: cmake -D SOURCE=… -D FOLDER=… -P public_headers.cmake
#
# They are those of the four folders of the library, but for fast kernels and for what only the library's own sources
# need; those that a public header includes come with it. Ours include each other as "tensor/tensor.hpp", which in a
# caller's project may be a file of its own: the copies say "qisa/tensor/tensor.hpp". Callers need not know `omp simd`,
# about which compilers warn where it is not switched on.
cmake_minimum_required(VERSION 3.18)
set(private "/fast/|/files/json|^tensor/files/descriptor")

file(GLOB_RECURSE headers RELATIVE ${SOURCE} ${SOURCE}/tensor/*.hpp ${SOURCE}/autograd/*.hpp ${SOURCE}/quantum/*.hpp ${SOURCE}/nn/*.hpp)
list(FILTER headers EXCLUDE REGEX "${private}")
list(SORT headers)

set(everything "// All that the library offers.\n#pragma once\n\n")
foreach(header ${headers})
  string(APPEND everything "#include \"qisa/${header}\"\n")
endforeach()

function(write_if_other path content)
  if(EXISTS ${path})
    file(READ ${path} before)
  endif()
  if(NOT "${before}" STREQUAL "${content}")
    file(WRITE ${path} "${content}")
  endif()
endfunction()

write_if_other(${FOLDER}/qisa/qisa.hpp "${everything}")
set(written ${FOLDER}/qisa/qisa.hpp)
while(headers)
  list(POP_FRONT headers header)
  list(APPEND written ${FOLDER}/qisa/${header})
  file(READ ${SOURCE}/${header} content)
  string(REGEX MATCHALL "#include \"[a-z_/0-9]+\\.hpp\"" includes "${content}")
  foreach(include ${includes})
    string(REGEX REPLACE "#include \"(.*)\"" "\\1" include ${include})
    if(NOT include IN_LIST headers AND NOT ${FOLDER}/qisa/${include} IN_LIST written)
      list(APPEND headers ${include})
    endif()
  endforeach()
  string(REGEX REPLACE "#pragma omp simd[^\n]*\n" "" content "${content}")
  string(REGEX REPLACE "#include \"([a-z])" "#include \"qisa/\\1" content "${content}")
  write_if_other(${FOLDER}/qisa/${header} "${content}")
endwhile()

# What is there no longer.
file(GLOB_RECURSE present ${FOLDER}/qisa/*.hpp)
foreach(path ${present})
  if(NOT ${path} IN_LIST written)
    file(REMOVE ${path})
  endif()
endforeach()
