/* Bodies in gzip (RFC 1952) and deflate (zlib's form, RFC 1950), as HTTP's headers name them. */
#ifndef SRV_HTTP_COMPRESS_H
#define SRV_HTTP_COMPRESS_H

#include "base/text.h"
#include "engine/status.h"

enum srv_encoding {
    SRV_ENCODING_NONE,
    SRV_ENCODING_GZIP,
    SRV_ENCODING_DEFLATE,
    SRV_ENCODING_OTHER
};

/* Purpose: what Content-Encoding says; NULL or identity: NONE; one that is not taken: OTHER. */
enum srv_encoding srv_encoding_parse(const char *content_encoding);

/* Purpose: what Accept-Encoding (RFC 9110, 12.5.3) likes best, gzip of equal ones; NULL: NONE. */
enum srv_encoding srv_encoding_choose(const char *accept_encoding);

/* Purpose: "gzip", "deflate". */
const char *srv_encoding_name(enum srv_encoding encoding);

struct srv_inflater;

/* What an inflater takes at most, zlib's part included. */
enum { SRV_INFLATER_BYTES = 64 * 1024 };

/* Purpose: GZIP or DEFLATE. NULL: out of memory. */
struct srv_inflater *srv_inflater_create(enum srv_encoding encoding);
void srv_inflater_destroy(struct srv_inflater *inflater); /* NULL is accepted */

/* Is handed what was inflated, piece by piece; false: no more is wanted. */
typedef bool srv_inflater_take(void *ctx, const char *bytes, size_t n_bytes);

/*
 * Purpose: inflates the stream's next bytes; several gzip members make one stream. Pieces are of
 * 16 KiB at most, so take bounds what there is before it grows; if it returns false this ends, with
 * OK.
 * Errors: FORMAT with the reason why this is no such stream, NO_MEMORY.
 */
enum eng_status srv_inflater_add(struct srv_inflater *inflater, const char *bytes, size_t n_bytes,
                                 srv_inflater_take *take, void *ctx, struct eng_error *err);

/* Purpose: whether the stream is whole. */
bool srv_inflater_has_ended(const struct srv_inflater *inflater);

/* Purpose: compresses the text in place, quickly. False: it would not get smaller, or there is no
 * memory; it is unchanged then. Cost: some 10 ns a byte. */
bool srv_compress_text(enum srv_encoding encoding, struct srv_text *text);

#endif
