# A .def table is also a build list: each row MACRO(name, ...) names the source file DIR/name.c.
# Several rows may name one file; rows hold no semicolon.
function(sources_from_def out def dir macro)
  file(STRINGS ${def} rows REGEX "^${macro}\\(")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${def})
  foreach(row ${rows})
    string(REGEX REPLACE "^${macro}\\(([a-z0-9_]+).*" "\\1" name "${row}")
    list(APPEND sources ${dir}/${name}.c)
  endforeach()
  list(REMOVE_DUPLICATES sources)
  set(${out} ${sources} PARENT_SCOPE)
endfunction()
