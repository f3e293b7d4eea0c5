#include "http/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PARSER_BYTES = 32 * 1024 };

static void refuse(struct srv_exchange *exchange, enum srv_code code, const char *why)
{
    exchange->refusal = code;
    srv_reply_error(&exchange->request, code, "%s", why);
}

static void refuse_parts(struct srv_exchange *exchange, size_t limit)
{
    exchange->refusal = SRV_TOO_LARGE;
    srv_reply_error(&exchange->request, SRV_TOO_LARGE,
                    "the form holds more parts than max_pictures, which is %zu", limit);
}

static struct srv_form_part *add_part(struct srv_exchange *exchange)
{
    size_t limit = (size_t)exchange->http->app->config->max_pictures;
    if (exchange->n_parts >= limit) {
        refuse_parts(exchange, limit);
        return NULL;
    }
    if (exchange->n_parts == exchange->parts_capacity) {
        size_t capacity = exchange->parts_capacity ? exchange->parts_capacity * 2 : 4;
        /* With what make_parts needs of them; a part is but some bytes on the wire. */
        size_t more = (capacity - exchange->parts_capacity) *
                      (sizeof *exchange->form_parts + sizeof *exchange->parts);
        if (!exchange->request.reserve(&exchange->request, more)) return NULL;
        struct srv_form_part *larger =
            realloc(exchange->form_parts, capacity * sizeof *exchange->form_parts);
        if (!larger) {
            refuse(exchange, SRV_INTERNAL, "out of memory");
            return NULL;
        }
        exchange->form_parts = larger;
        exchange->parts_capacity = capacity;
    }
    struct srv_form_part *part = &exchange->form_parts[exchange->n_parts++];
    *part = (struct srv_form_part){.offset = exchange->n_bytes};
    return part;
}

/*
 * A part comes in pieces; one that begins at 0 is a new part. But libmicrohttpd hands out an empty
 * piece when the first bytes of a part may still be a boundary, and then begins at 0 again: told
 * from an empty part by its names.
 */
static bool begins_part(const struct srv_exchange *exchange, const char *name,
                        const char *file_name, uint64_t offset)
{
    if (offset > 0 || exchange->n_parts == 0) return offset == 0;
    const struct srv_form_part *last = &exchange->form_parts[exchange->n_parts - 1];
    return last->n_bytes > 0 || strncmp(last->name, name, sizeof last->name - 1) != 0 ||
           strncmp(last->file_name, file_name, sizeof last->file_name - 1) != 0;
}

static enum MHD_Result take_piece(void *cls, enum MHD_ValueKind kind, const char *key,
                                  const char *file_name, const char *content_type,
                                  const char *transfer_encoding, const char *data, uint64_t offset,
                                  size_t n_bytes)
{
    struct srv_exchange *exchange = cls;
    (void)kind, (void)content_type, (void)transfer_encoding;
    if (!key) key = "";
    if (!file_name) file_name = "";
    if (begins_part(exchange, key, file_name, offset)) {
        struct srv_form_part *part = add_part(exchange);
        if (!part) return MHD_NO;
        snprintf(part->name, sizeof part->name, "%s", key);
        snprintf(part->file_name, sizeof part->file_name, "%s", file_name);
    }
    if (!srv_body_append(exchange, data, n_bytes)) return MHD_NO;
    exchange->form_parts[exchange->n_parts - 1].n_bytes += n_bytes;
    return MHD_YES;
}

void srv_form_begin(struct srv_exchange *exchange)
{
    static const char multipart[] = "multipart/form-data";
    struct srv_request *request = &exchange->request;
    if (strncasecmp(request->content_type, multipart, strlen(multipart)) != 0) return;
    request->is_multipart = true;
    exchange->form =
        MHD_create_post_processor(exchange->connection, PARSER_BYTES, take_piece, exchange);
    if (!exchange->form)
        refuse(exchange, SRV_INVALID_REQUEST, "the multipart form names no usable boundary");
}

void srv_form_add(struct srv_exchange *exchange, const char *bytes, size_t n_bytes)
{
    if (!exchange->form_is_bad && MHD_post_process(exchange->form, bytes, n_bytes) != MHD_YES)
        exchange->form_is_bad = true;
}

static bool make_parts(struct srv_exchange *exchange)
{
    exchange->parts = calloc(exchange->n_parts + 1, sizeof *exchange->parts);
    if (!exchange->parts) {
        refuse(exchange, SRV_INTERNAL, "out of memory");
        return false;
    }
    for (size_t i = 0; i < exchange->n_parts; i++) {
        const struct srv_form_part *part = &exchange->form_parts[i];
        exchange->parts[i] = (struct srv_part){
            .name = part->name,
            .file_name = part->file_name,
            .data = exchange->bytes + part->offset,
            .n_bytes = part->n_bytes,
        };
    }
    exchange->request.parts = exchange->parts;
    exchange->request.n_parts = exchange->n_parts;
    return true;
}

bool srv_form_end(struct srv_exchange *exchange)
{
    bool is_whole = MHD_destroy_post_processor(exchange->form) == MHD_YES;
    exchange->form = NULL;
    if (exchange->refusal != SRV_OK) return false;
    if (!is_whole || exchange->form_is_bad) {
        refuse(exchange, SRV_INVALID_REQUEST, "the multipart form is malformed or cut short");
        return false;
    }
    return make_parts(exchange);
}
