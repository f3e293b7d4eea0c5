/* How a request can end: the rows of codes.def. */
#ifndef SRV_BASE_CODE_H
#define SRV_BASE_CODE_H

#include "engine/status.h"

#include <stdio.h>

enum srv_code {
#define CODE(name, http, wire, text) SRV_##name,
#include "base/codes.def"
#undef CODE
    SRV_N_CODES
};

unsigned srv_code_http(enum srv_code code);
const char *srv_code_wire(enum srv_code code);
const char *srv_code_text(enum srv_code code);

/* Purpose: what an engine failure on a client's input means for the client. */
enum srv_code srv_code_of_status(enum eng_status status);

/* Purpose: docs/errors.md. */
void srv_code_document(FILE *out);

#endif
