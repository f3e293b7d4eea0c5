/*
 * How many requests a client may send: a token bucket for each, in a table of fixed size. A bucket
 * is one number, the time at which it will be full again (the generic cell rate algorithm), so
 * nothing has to be refilled, and a bucket that is full needs no place. Who finds no place takes
 * that of the bucket nearest to full: an evicted client gains a burst at most.
 */
#ifndef SRV_BASE_RATE_LIMIT_H
#define SRV_BASE_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { SRV_RATE_CLIENTS = 32768 }; /* that the table holds */

/* Who: an address, or the id of an API key. */
struct srv_rate_client {
    uint64_t high, low;
};

/* What is allowed: burst requests at once, then per_s a second; 0: anything. */
struct srv_rate {
    int64_t per_s, burst;
};

struct srv_rate_limit;

/* Purpose: an empty table, 1 MB of which only what is used becomes resident. NULL: out of memory.
 */
struct srv_rate_limit *srv_rate_limit_create(void);
void srv_rate_limit_destroy(struct srv_rate_limit *limit);

/* Purpose: an IPv4 address; of an IPv6 address the first 64 bits, because whoever has one has as
 * many as he likes beyond; everything else (NULL, Unix sockets) is one client. */
struct srv_rate_client srv_rate_client_of_address(const struct sockaddr *address);
struct srv_rate_client srv_rate_client_of_key(const char *id);

/*
 * Purpose: takes one token. False: there is none; *retry_us is when there will be.
 * Threads: any; clients of different shards do not meet. Cost: a lock and a cache line or two.
 */
bool srv_rate_limit_take(struct srv_rate_limit *limit, struct srv_rate_client client,
                         struct srv_rate rate, int64_t now_us, int64_t *retry_us);

#endif
