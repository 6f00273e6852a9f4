// Ctrl-C and SIGTERM as a flag that the training loop reads; a second signal ends the program at once.
#pragma once

namespace qisa {

/// From now on SIGINT and SIGTERM are noted instead of ending the program.
void catch_interrupts();

/// The signal that came, or 0. The exit code for it is 128 plus its number.
int interrupted();

}  // namespace qisa
