// A library for LD_PRELOAD that makes one system call of a program fail.
//
// It counts the calls that concern the files of one folder: open, write, fsync, ftruncate, close, rename. The
// environment says what happens at which:
//
//   QISA_FAULT_FOLDER  the folder's path, as the program gives it
//   QISA_FAULT_CALL    the number of the call, from 1
//   QISA_FAULT         an errno: the call is not done and fails with it
//                      "short": a write writes half of what it was given
//                      "full": so does a write, and from then on no write succeeds (ENOSPC), as on a full disk
//                      "kill": the process is killed before the call
//   QISA_FAULT_REPORT  the file to which the name and path of the faulty call is written
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace {

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

const char* variable(const char* name) {
  const char* value = ::getenv(name);
  return value ? value : "";
}

constexpr int most_descriptors = 1024;
char opened[most_descriptors][256];  // the path of each descriptor of the folder; empty for others
int calls = 0;
bool disk_is_full = false;

bool concerns(const char* path) {
  const std::string folder = variable("QISA_FAULT_FOLDER"), given = path;
  return !folder.empty() && (given == folder || given.starts_with(folder + "/"));
}

bool concerns(int descriptor) { return descriptor >= 0 && descriptor < most_descriptors && opened[descriptor][0]; }

/// Counts a call. Whether it is the faulty one, which is then reported.
bool is_faulty(const char* name, const char* path) {
  if (++calls != ::atoi(variable("QISA_FAULT_CALL"))) return false;
  const std::string report = std::string(name) + " " + path + "\n";
  const int file = next<int(const char*, int, ...)>("open")(variable("QISA_FAULT_REPORT"), O_WRONLY | O_CREAT, 0666);
  next<ssize_t(int, const void*, size_t)>("write")(file, report.data(), report.size());
  next<int(int)>("close")(file);
  if (::strcmp(variable("QISA_FAULT"), "kill") == 0) ::kill(::getpid(), SIGKILL);
  return true;
}

/// Whether a call that is not a write fails; errno is then set.
bool fails(const char* name, const char* path) {
  if (!is_faulty(name, path)) return false;
  errno = ::atoi(variable("QISA_FAULT"));
  return errno != 0;
}

int open_with(const char* name, const char* path, int flags, mode_t mode) {
  const bool counted = concerns(path);
  if (counted && fails("open", path)) return -1;
  const int descriptor = next<int(const char*, int, ...)>(name)(path, flags, mode);
  if (counted && descriptor >= 0 && descriptor < most_descriptors) {
    ::snprintf(opened[descriptor], sizeof opened[descriptor], "%s", path);
  }
  return descriptor;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const auto mode = static_cast<mode_t>((flags & O_CREAT) ? va_arg(rest, int) : 0);
  va_end(rest);
  return open_with("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const auto mode = static_cast<mode_t>((flags & O_CREAT) ? va_arg(rest, int) : 0);
  va_end(rest);
  return open_with("open64", path, flags, mode);
}

ssize_t write(int descriptor, const void* bytes, size_t count) {
  static const auto real = next<ssize_t(int, const void*, size_t)>("write");
  if (!concerns(descriptor)) return real(descriptor, bytes, count);
  if (disk_is_full) {
    errno = ENOSPC;
    return -1;
  }
  if (is_faulty("write", opened[descriptor])) {
    disk_is_full = ::strcmp(variable("QISA_FAULT"), "full") == 0;
    errno = ::atoi(variable("QISA_FAULT"));
    if (errno != 0) return -1;
    count = count > 1 ? count / 2 : count;
  }
  return real(descriptor, bytes, count);
}

int fsync(int descriptor) {
  if (concerns(descriptor) && fails("fsync", opened[descriptor])) return -1;
  return next<int(int)>("fsync")(descriptor);
}

int ftruncate(int descriptor, off_t length) {
  if (concerns(descriptor) && fails("ftruncate", opened[descriptor])) return -1;
  return next<int(int, off_t)>("ftruncate")(descriptor, length);
}

int close(int descriptor) {
  const bool counted = concerns(descriptor), failed = counted && fails("close", opened[descriptor]);
  const int error = errno;
  if (counted) opened[descriptor][0] = 0;
  const int result = next<int(int)>("close")(descriptor);  // a descriptor is closed even if closing it fails
  if (failed) errno = error;
  return failed ? -1 : result;
}

int rename(const char* from, const char* to) {
  if (concerns(to) && fails("rename", to)) return -1;
  return next<int(const char*, const char*)>("rename")(from, to);
}

}  // extern "C"
