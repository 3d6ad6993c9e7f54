// Starts programs in namespaces of their own, or in those of another process; knows Linux, must not know
// Node-API or what the programs do.
#ifndef FINWAIT_ENCLOSURE_H
#define FINWAIT_ENCLOSURE_H

#include <stdbool.h>
#include <stddef.h>

#include "interface.h"

// A namespace: "" for the one that we are in, "new", or the path of another one.
struct start {
  char **argv;  // the program is looked up in PATH; without one it is only tried whether it might work
  char **envp;
  const char *user, *network;
  const int *kept;    // descriptors that the program gets as 3, 4, ...
  size_t kept_count;
  int last_signal;    // what it gets when we end, however we end
};

// Starts the program and waits for its end; signals that others send us meanwhile are handed on, those
// of a terminal it gets anyway. Returns its exit code, 128 and the signal that ended it, or -1 and the
// failure where it could not be started.
int enclosure_run(const struct start *start, struct failure *failure);

// From now on closing this socket resets its connection, whatever waits to be sent. Returns 0 or -1.
int enclosure_reset(int fd);

// A listening socket at this address, which is free for all the namespaces that it is handed to; -1 and
// the failure where it cannot be had.
int enclosure_listen(const char *address, int port, struct failure *failure);

#endif
