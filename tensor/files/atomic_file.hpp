// Replacing a file as a whole: whoever opens it finds the old content or the new, never a part.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace qisa {

/// Makes `pieces`, one after the other, the content of the file `path`.
///
/// The bytes go to a temporary file in the same folder, which is flushed to the disk and then
/// renamed to `path`; at last the folder is flushed. After a crash or a power cut the file is the
/// old one or the new one. A symbolic link at `path` is replaced, not followed.
/// Throws, naming `path` and the system's reason, when anything fails: the disk is full, the folder
/// does not exist or cannot be written, `path` is a folder. The temporary file is then removed and
/// the old file is as it was, except where the message says that the file is new but not flushed.
void write_atomically(const std::filesystem::path& path, std::span<const std::span<const std::byte>> pieces);

/// Throws when `path` is something that cannot be replaced by a file: a folder or a device.
void check_replaceable(const std::filesystem::path& path);

/// Removes the temporary files of write_atomically() that killed processes have left in a folder. Only while
/// no other process writes files there.
void remove_leftovers(const std::filesystem::path& folder);

}  // namespace qisa
