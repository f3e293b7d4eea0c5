/* Any file of keys, in both forms: what is taken knows its own lines, what is not says why. */
#include "base/keys.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static void try_form(const char *text, size_t n_bytes, enum srv_keys_form form)
{
    struct srv_keys *keys = NULL;
    struct eng_error err = {0};
    char id[SRV_KEY_ID_CHARS + 1] = "", word[64] = "";
    if (srv_keys_parse(text, n_bytes, form, "keys", &keys, &err) != ENG_OK) {
        if (keys || !err.text[0]) abort();
        return;
    }
    memcpy(word, text, n_bytes < sizeof word - 1 ? n_bytes : sizeof word - 1);
    if (srv_keys_match(keys, word, id) && !srv_key_is_id(id, strlen(id))) abort();
    srv_keys_destroy(keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    try_form((const char *)data, n_bytes, SRV_KEYS_LINES);
    try_form((const char *)data, n_bytes, SRV_KEYS_TOKEN);
    return 0;
}
