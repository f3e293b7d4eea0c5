/* Any bytes as a labels file are labels, each of them text, or an error sentence. */
#include "base/utf8.h"
#include "model/card_parts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static void require(int condition)
{
    if (!condition) abort();
}

static void check_labels(const struct eng_card *card)
{
    require(card->n_classes > 0);
    for (size_t i = 0; i < card->n_classes; i++) {
        require(card->labels[i] != NULL);
        require(eng_utf8_is_valid(card->labels[i], strlen(card->labels[i])));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct card_draft draft = {.origin = ENG_ORIGIN_CONFIG};
    struct eng_error err = {0};
    struct eng_arena arena;
    eng_arena_init(&arena);
    const struct eng_json_place place = {.path = "config.json", .arena = &arena, .err = &err};
    char *text = malloc(n_bytes ? n_bytes : 1); /* exactly: nothing may be read behind the end */
    require(text != NULL);
    if (n_bytes) memcpy(text, data, n_bytes);
    enum eng_status status = card_parse_labels(&place, "labels.txt", text, n_bytes, &draft);
    free(text);
    require(status == err.status);
    require((status == ENG_OK) == (err.text[0] == '\0'));
    if (status == ENG_OK)
        check_labels(&draft.source.card);
    else
        require(draft.source.card.labels == NULL);
    eng_arena_fini(&arena);
    return 0;
}
