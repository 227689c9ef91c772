# What is installed, and the Debian package of it: script/package.
include(GNUInstallDirs)
# Packages hold what is built; who builds says script/package.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
set(flowstore_share ${PROJECT_SOURCE_DIR}/packaging)

install(TARGETS flowstore)
# The name of FlowFuse's program.
file(CREATE_LINK flowstore ${CMAKE_BINARY_DIR}/ff-file-storage SYMBOLIC)
install(FILES ${CMAKE_BINARY_DIR}/ff-file-storage DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${flowstore_share}/systemd/flowstore.service DESTINATION lib/systemd/system)
install(FILES ${flowstore_share}/debian/user.conf DESTINATION lib/systemd/system/flowstore.service.d)
install(FILES ${flowstore_share}/completion/flowstore.bash DESTINATION share/bash-completion/completions RENAME flowstore)
install(FILES ${flowstore_share}/completion/_flowstore DESTINATION share/zsh/vendor-completions)
# script/package makes what lies in these two folders, so that a build needs no Python.
install(DIRECTORY ${CMAKE_BINARY_DIR}/man/ DESTINATION share/man OPTIONAL)
install(DIRECTORY ${CMAKE_BINARY_DIR}/doc/ DESTINATION share/doc/flowstore OPTIONAL)
install(FILES ${flowstore_share}/debian/flowforge-storage.yml DESTINATION /etc/flowstore)

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_NAME flowstore)
# Debian's policy (5.6.2) demands an address. This one is nobody's, and says so (RFC 2606): weaknesses are reported as
# docs/security.md says, and whoever builds packages for others puts their own here.
set(CPACK_PACKAGE_CONTACT "The flowstore maintainers <maintainers@flowstore.invalid>")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates, libarchive13")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Storage of files and context for Node-RED fleets
Serves the files and the persistent context of Node-RED instances over HTTP,
for FlowFuse platforms and for anyone who runs Node-RED. It takes the place
of FlowFuse's file server: same requests, answers, configuration and folders.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${flowstore_share}/debian/postinst ${flowstore_share}/debian/prerm ${flowstore_share}/debian/postrm
  ${CMAKE_BINARY_DIR}/debian/conffiles)
file(WRITE ${CMAKE_BINARY_DIR}/debian/conffiles "/etc/flowstore/flowforge-storage.yml\n")
include(CPack)
