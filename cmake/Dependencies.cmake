# Everything comes from the system: scripts/setup installs it. Imported targets count as SYSTEM,
# so that warnings in other people's headers are not ours.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(highway REQUIRED IMPORTED_TARGET libhwy)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(pcre2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Eigen3 REQUIRED NO_MODULE)
find_package(Boost REQUIRED CONFIG)  # its headers
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(BZip2 REQUIRED)
find_package(ZLIB REQUIRED)
