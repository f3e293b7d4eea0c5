/* Headers that two readers may understand differently: that is how requests are smuggled past a
 * proxy. */
#include "http/exchange.h"

#include <string.h>
#include <strings.h>

/* clang-format off */
/* What stands there once. The first two say the same: how long the body is. */
static const struct {
    const char *name;
    size_t n_name;
} singles[] = {
#define SINGLE(name) {name, sizeof name - 1}
    SINGLE("Content-Length"), SINGLE("Transfer-Encoding"), SINGLE("Host"), SINGLE("Content-Type"),
    SINGLE("Content-Encoding"), SINGLE("Inference-Header-Content-Length"), SINGLE("Authorization"),
    SINGLE("X-API-Key"), SINGLE("X-Request-Deadline-Ms"), SINGLE("X-Request-Priority"),
#undef SINGLE
};
/* clang-format on */
enum { N_SINGLES = sizeof singles / sizeof singles[0], N_LENGTHS = 2 };

/* What a walk over the headers has met. */
struct walk {
    unsigned seen;          /* bits of singles; one for both lengths */
    size_t twice;           /* N_SINGLES: none */
    const char *with_blank; /* a name; NULL: none */
};

static size_t find_single(const char *name, size_t n_name)
{
    size_t i = 0;
    while (i < N_SINGLES &&
           (singles[i].n_name != n_name || strncasecmp(singles[i].name, name, n_name) != 0))
        i++;
    return i;
}

static unsigned bit_of(size_t single)
{
    return single < N_LENGTHS ? 1 : 1u << single;
}

static enum MHD_Result visit(void *cls, enum MHD_ValueKind kind, const char *name, size_t n_name,
                             const char *value, size_t n_value)
{
    struct walk *walk = cls;
    (void)kind, (void)value, (void)n_value;
    /* RFC 9112, 5.1: "Content-Length : 5" is a length to some, and to others none. */
    if (memchr(name, ' ', n_name) || memchr(name, '\t', n_name)) {
        walk->with_blank = name;
        return MHD_NO;
    }
    size_t single = find_single(name, n_name);
    if (single == N_SINGLES) return MHD_YES;
    unsigned bit = bit_of(single);
    if (walk->seen & bit) walk->twice = single;
    walk->seen |= bit;
    return walk->twice == N_SINGLES ? MHD_YES : MHD_NO;
}

/* Whether the framing by Transfer-Encoding is the one that libmicrohttpd reads: of any other it
 * takes all that comes until the end of the connection for the body. */
static bool check_coding(struct srv_request *request, const char *version)
{
    const char *coding = request->header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING);
    if (!coding) return true;
    if (strcasecmp(coding, "chunked") != 0)
        srv_reply_error(request, SRV_INVALID_REQUEST,
                        "Transfer-Encoding is \"%.60s\"; wanted chunked", coding);
    else if (strcmp(version, MHD_HTTP_VERSION_1_0) == 0) /* RFC 9112, 6.1 */
        srv_reply_error(request, SRV_INVALID_REQUEST,
                        "Transfer-Encoding stands in a request of HTTP/1.0; wanted HTTP/1.1");
    else
        return true;
    return false;
}

static bool check(struct srv_exchange *exchange, const char *version)
{
    struct srv_request *request = &exchange->request;
    struct walk walk = {.twice = N_SINGLES};
    MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, visit, &walk);
    if (walk.with_blank)
        srv_reply_error(request, SRV_INVALID_REQUEST,
                        "the header \"%.60s\" has a blank in its name; wanted none",
                        walk.with_blank);
    else if (walk.twice < N_LENGTHS)
        srv_reply_error(request, SRV_INVALID_REQUEST,
                        "the headers say the body's length twice; wanted one Content-Length or one "
                        "Transfer-Encoding");
    else if (walk.twice < N_SINGLES)
        srv_reply_error(request, SRV_INVALID_REQUEST,
                        "the header %s stands there twice; wanted it once",
                        singles[walk.twice].name);
    else if (exchange->target_has_blank) /* RFC 9112, 3.2 */
        srv_reply_error(request, SRV_INVALID_REQUEST,
                        "the request line has a blank in its path or query; wanted %%20");
    else if (!(walk.seen & bit_of(find_single("Host", 4))) &&
             strcmp(version, MHD_HTTP_VERSION_1_1) == 0)
        srv_reply_error(request, SRV_INVALID_REQUEST, "the header Host is missing; wanted one");
    else
        return check_coding(request, version);
    return false;
}

bool srv_headers_check(struct srv_exchange *exchange, const char *version)
{
    if (check(exchange, version)) return true;
    exchange->refusal = SRV_INVALID_REQUEST;
    return false;
}
