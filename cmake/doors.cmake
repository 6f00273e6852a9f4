# Tests of the doors (tests/doors/doors.sh): the library installed, moved, and built against from empty projects.
foreach(door install find_package pkg-config subdirectory flavours namespaces)
  add_test(NAME "doors:${door}" COMMAND ${PROJECT_SOURCE_DIR}/tests/doors/doors.sh ${door} ${PROJECT_SOURCE_DIR}
                                         ${PROJECT_BINARY_DIR} ${CMAKE_CXX_COMPILER})
  set_tests_properties("doors:${door}" PROPERTIES FIXTURES_REQUIRED installed)
endforeach()
set_tests_properties("doors:install" PROPERTIES FIXTURES_SETUP installed FIXTURES_REQUIRED "")
