# One interface target that every target of ours links: language level, warnings, sanitizers.
add_library(classifyd_options INTERFACE)
target_compile_definitions(classifyd_options INTERFACE _GNU_SOURCE)
target_compile_options(classifyd_options INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wconversion
  -fvisibility=hidden -ffp-contract=off -fno-math-errno)
if(CLASSIFYD_WERROR)
  target_compile_options(classifyd_options INTERFACE -Werror)
endif()
# The C that every CPU runs, and no instruction beyond the first x86-64.
if(CLASSIFYD_PORTABLE)
  target_compile_definitions(classifyd_options INTERFACE ENG_PORTABLE_ONLY)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    target_compile_options(classifyd_options INTERFACE -march=x86-64 -mno-avx)
  endif()
endif()
if(CLASSIFYD_SANITIZE)
  target_compile_options(classifyd_options INTERFACE
    -fsanitize=${CLASSIFYD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(classifyd_options INTERFACE -fsanitize=${CLASSIFYD_SANITIZE})
endif()
if(CLASSIFYD_FUZZ)
  target_compile_options(classifyd_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(CLASSIFYD_COVERAGE)
  target_compile_options(classifyd_options INTERFACE --coverage)
  target_link_options(classifyd_options INTERFACE --coverage)
endif()
