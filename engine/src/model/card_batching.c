/* config.json's "batching": how whoever serves the model gathers pictures. */
#include "model/card_parts.h"

static const struct eng_field fields[] = {
    ENG_F_INT(struct eng_batching, max_batch, 0, 1, 1024, "pictures that one run computes"),
    ENG_F_INT(struct eng_batching, max_delay_us, -1, 0, 1000000, "how long a batch waits to fill"),
    ENG_F_INT(struct eng_batching, max_queue, 0, 1, 1000000, "pictures that may wait"),
    ENG_F_INT(struct eng_batching, default_priority, 0, 1, 10, "1 goes first"),
};

enum { N_FIELDS = sizeof fields / sizeof *fields };

enum eng_status card_read_batching(const struct eng_json_place *place, const char *key,
                                   const json_t *value, struct card_draft *draft)
{
    const struct eng_json_place inner = eng_json_within(place, key);
    if (!json_is_object(value))
        return eng_json_fail(place, key, value,
                             "an object of max_batch, max_delay_us, max_queue, default_priority");
    return eng_json_fields(&inner, value, fields, N_FIELDS, NULL, &draft->source.card.batching);
}
