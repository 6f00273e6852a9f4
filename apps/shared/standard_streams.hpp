// stdin, stdout and stderr as a program finds them: perhaps closed, full, or without a reader.
#pragma once

#include <string>

namespace qisa {

/// Opens those of the descriptors 0, 1 and 2 that are closed on /dev/null. Otherwise the next file that is opened
/// would take such a number, and what is printed would land in it. To be called before any file is opened.
void open_standard_descriptors();

/// Flushes stdout. Throws when what was printed cannot be written: the disk is full.
void flush_output();

/// Writes the text to stderr. If that cannot be, nothing happens: there is nobody left to tell, and the exit code
/// must be what it would have been.
void complain(const std::string& text);

}  // namespace qisa
