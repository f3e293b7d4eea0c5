/* The daemon's life: start, signals, drain, stop. */
#ifndef SRV_DAEMON_H
#define SRV_DAEMON_H

#include "base/options.h"

/* Purpose: serves until SIGTERM or SIGINT. Returns the exit status. */
int srv_daemon_run(const struct srv_options *options);

/* Purpose: --check: loads every model and says how each fared. Returns the exit status. */
int srv_daemon_check(const struct srv_options *options);

#endif
