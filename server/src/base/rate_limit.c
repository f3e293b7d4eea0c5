#include "base/rate_limit.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { N_SHARDS = 16, N_WAYS = 8, N_SETS = SRV_RATE_CLIENTS / N_SHARDS / N_WAYS };

struct bucket {
    struct srv_rate_client client;
    int64_t full_us; /* when it is full again; 0: nobody's */
};

struct srv_rate_limit {
    uint64_t seed; /* so that nobody outside knows who shares a set */
    pthread_mutex_t locks[N_SHARDS];
    struct bucket buckets[N_SHARDS][N_SETS][N_WAYS];
};

struct srv_rate_limit *srv_rate_limit_create(void)
{
    struct srv_rate_limit *limit = calloc(1, sizeof *limit);
    if (!limit) return NULL;
    if (getrandom(&limit->seed, sizeof limit->seed, GRND_NONBLOCK) != sizeof limit->seed)
        limit->seed = (uint64_t)(uintptr_t)limit;
    for (int i = 0; i < N_SHARDS; i++)
        pthread_mutex_init(&limit->locks[i], NULL);
    return limit;
}

void srv_rate_limit_destroy(struct srv_rate_limit *limit)
{
    if (!limit) return;
    for (int i = 0; i < N_SHARDS; i++)
        pthread_mutex_destroy(&limit->locks[i]);
    free(limit);
}

/* --- clients --- */

enum client_kind { KIND_OTHER = 1, KIND_V4 = 4, KIND_V6 = 6 };

static uint64_t big_endian(const uint8_t *bytes, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | bytes[i];
    return value;
}

static struct srv_rate_client of_v6(const struct in6_addr *address)
{
    const uint8_t *bytes = address->s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(address))
        return (struct srv_rate_client){KIND_V4, big_endian(bytes + 12, 4)};
    return (struct srv_rate_client){KIND_V6, big_endian(bytes, 8)};
}

struct srv_rate_client srv_rate_client_of_address(const struct sockaddr *address)
{
    if (address && address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        return (struct srv_rate_client){KIND_V4, ntohl(v4->sin_addr.s_addr)};
    }
    if (address && address->sa_family == AF_INET6)
        return of_v6(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
    return (struct srv_rate_client){KIND_OTHER, 0};
}

/* FNV-1a, from two beginnings: ids are the operator's, nobody chooses them to collide. */
static uint64_t hash_text(const char *text, uint64_t hash)
{
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001B3u;
    return hash;
}

struct srv_rate_client srv_rate_client_of_key(const char *id)
{
    /* The highest bit tells it from the kinds of addresses. */
    return (struct srv_rate_client){hash_text(id, 0xCBF29CE484222325u) | UINT64_C(1) << 63,
                                    hash_text(id, 0x9E3779B97F4A7C15u)};
}

/* --- taking --- */

/* The finaliser of SplitMix64. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

static bool is_same(struct srv_rate_client a, struct srv_rate_client b)
{
    return a.high == b.high && a.low == b.low;
}

/* Lock held: the client's bucket, or the one to take for it. */
static struct bucket *find(struct bucket *set, struct srv_rate_client client)
{
    struct bucket *fullest = set;
    for (struct bucket *bucket = set; bucket < set + N_WAYS; bucket++) {
        if (is_same(bucket->client, client)) return bucket;
        if (bucket->full_us < fullest->full_us) fullest = bucket;
    }
    return fullest;
}

/* Lock held. */
static bool take(struct bucket *set, struct srv_rate_client client, struct srv_rate rate,
                 int64_t now_us, int64_t *retry_us)
{
    struct bucket *bucket = find(set, client);
    int64_t token_us = 1000000 / rate.per_s;
    int64_t full_us = is_same(bucket->client, client) ? bucket->full_us : now_us;
    if (full_us < now_us) full_us = now_us;
    /* Emptied under a slower rate or a larger burst: now it is empty, no more. */
    int64_t latest_us = now_us + rate.burst * token_us;
    if (full_us > latest_us) full_us = latest_us;
    int64_t wait_us = full_us - now_us - (rate.burst - 1) * token_us;
    if (wait_us > 0) {
        bucket->full_us = full_us;
        *retry_us = wait_us;
        return false;
    }
    *bucket = (struct bucket){.client = client, .full_us = full_us + token_us};
    return true;
}

bool srv_rate_limit_take(struct srv_rate_limit *limit, struct srv_rate_client client,
                         struct srv_rate rate, int64_t now_us, int64_t *retry_us)
{
    if (rate.per_s <= 0) return true;
    uint64_t hash = mix(mix(client.high ^ limit->seed) ^ client.low);
    size_t shard = hash % N_SHARDS, set = hash / N_SHARDS % N_SETS;
    pthread_mutex_lock(&limit->locks[shard]);
    bool allowed = take(limit->buckets[shard][set], client, rate, now_us, retry_us);
    pthread_mutex_unlock(&limit->locks[shard]);
    return allowed;
}
