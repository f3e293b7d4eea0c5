#include "api/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_SENTENCE_BYTES = 1024, SERVICE_UNAVAILABLE = 503 };

void srv_reply_error_members(struct srv_request *request, enum srv_code code, const char *sentence)
{
    struct srv_text *body = &request->reply.body;
    request->reply.code = code;
    request->reply.content_type = NULL;
    request->reply.retry_after_s = srv_code_http(code) == SERVICE_UNAVAILABLE;
    srv_text_puts(body, "\"error\":");
    srv_text_json(body, sentence);
    srv_text_puts(body, ",\"code\":\"");
    srv_text_puts(body, srv_code_wire(code));
    srv_text_puts(body, "\",\"request_id\":\"");
    srv_text_puts(body, request->id);
    srv_text_puts(body, "\"");
}

void srv_reply_error(struct srv_request *request, enum srv_code code, const char *format, ...)
{
    char sentence[MAX_SENTENCE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    srv_text_clear(&request->reply.body);
    srv_text_clear(&request->reply.headers);
    srv_text_puts(&request->reply.body, "{");
    srv_reply_error_members(request, code, sentence);
    srv_text_puts(&request->reply.body, "}\n");
}

void srv_reply_header(struct srv_request *request, const char *name, const char *value)
{
    char text[SRV_HEADER_CHARS + 3];
    size_t n = 0, n_whole = 0; /* n_whole: without the character that is being written */
    for (; *value && n <= SRV_HEADER_CHARS; value++) {
        unsigned char c = (unsigned char)*value;
        bool begins_character = (c & 0xC0) != 0x80; /* in UTF-8 */
        if (begins_character) n_whole = n;
        bool is_plain = c >= ' ' && c <= '~' && c != '%';
        if (is_plain)
            text[n++] = (char)c;
        else
            n += (size_t)snprintf(text + n, sizeof text - n, "%%%02X", c);
    }
    if (n > SRV_HEADER_CHARS) n = n_whole;
    srv_text_append(&request->reply.headers, name, strlen(name) + 1);
    srv_text_append(&request->reply.headers, text, n);
    srv_text_append(&request->reply.headers, "", 1);
}

bool srv_request_is_no_form(struct srv_request *request, const char *wanted)
{
    if (request->is_multipart)
        srv_reply_error(request, SRV_UNSUPPORTED_MEDIA_TYPE,
                        "the body is a multipart form; wanted %s", wanted);
    return !request->is_multipart;
}

void srv_request_limit_time(struct srv_request *request, int64_t timeout_us)
{
    int64_t deadline_us = request->received_us + timeout_us;
    if (deadline_us < request->deadline_us) request->deadline_us = deadline_us;
}
