/* The header traceparent: what is taken goes out again with the same trace. */
#include "base/trace.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct srv_trace trace, again;
    char header[SRV_TRACEPARENT_CHARS + 1];
    char *text = malloc(n_bytes + 1);
    if (!text) return 0;
    if (n_bytes > 0) memcpy(text, data, n_bytes);
    text[n_bytes] = '\0';
    if (srv_trace_continue(text, 0x1234, &trace)) {
        srv_trace_header(&trace, header);
        if (!srv_trace_continue(header, 1, &again) || strcmp(trace.trace_id, again.trace_id) != 0 ||
            strcmp(trace.span_id, again.parent_id) != 0 || trace.flags != again.flags)
            abort();
    }
    free(text);
    return 0;
}
