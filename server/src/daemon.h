/* The daemon's life: start, signals, drain, stop. */
#ifndef SRV_DAEMON_H
#define SRV_DAEMON_H

#include "base/config.h"

/* Purpose: serves until SIGTERM or SIGINT. Returns the exit status. */
int srv_daemon_run(const struct srv_config *config);

/* Purpose: --check: loads every model and says how each fared. Returns the exit status. */
int srv_daemon_check(const struct srv_config *config);

#endif
