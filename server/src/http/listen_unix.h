/* A listening socket in the file system. */
#ifndef SRV_HTTP_LISTEN_UNIX_H
#define SRV_HTTP_LISTEN_UNIX_H

#include "http/listen.h"

#include <sys/un.h>

/* Purpose: see srv_listen_open. Two daemons that start at once do not take each other's: whoever
 * replaces a file holds a lock on its folder. Errors: IO. */
enum eng_status srv_listen_open_unix(const char *path, int backlog, struct srv_listening *out,
                                     struct eng_error *err);

/* Purpose: removes the file, unless it is another's by now. */
void srv_listen_remove_unix(const struct srv_listening *listening);

/* Purpose: connects to the socket at path; it blocks. Returns it, -1 with errno set: EAGAIN if who
 * listens has not made room for one more within patience_s. */
int srv_unix_connect(const char *path, int patience_s);

#endif
