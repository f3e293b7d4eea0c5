/* config.json's "engine": how the model is computed, where there are several ways. */
#include "base/error.h"
#include "base/mem.h"
#include "model/card_parts.h"

#include <string.h>

enum { MAX_PINS = 65536 };

static const char *const tunings[] = {
    [ENG_TUNING_OFF] = "off", [ENG_TUNING_MEASURE] = "measure", NULL};

static const char *const precisions[] = {
    [ENG_PRECISION_FLOAT32] = "float32", [ENG_PRECISION_BF16] = "bf16", NULL};

static const struct eng_field fields[] = {
    ENG_F_CHOICE(struct eng_card_engine, precision, ENG_CARD_UNSAID, precisions, "of products"),
    ENG_F_CHOICE(struct eng_card_engine, tuning, ENG_CARD_UNSAID, tunings, "ways are measured"),
};

enum { N_FIELDS = sizeof fields / sizeof *fields };

static enum eng_status read_method(const struct eng_json_place *place, const char *node,
                                   const json_t *value, enum eng_nhwc_method *out)
{
    const char *name = json_string_value(value);
    for (int i = 0; name && i < ENG_N_NHWC_METHODS; i++)
        if (strcmp(eng_nhwc_method_name((enum eng_nhwc_method)i), name) == 0) {
            *out = (enum eng_nhwc_method)i;
            return ENG_OK;
        }
    return eng_json_fail(place, node, value,
                         "product, winograd_2x2, winograd_4x4, depthwise or bf16");
}

static enum eng_status copy_name(const struct eng_json_place *place, const char *name,
                                 const char **out)
{
    *out = eng_arena_string(place->arena, name, strlen(name));
    return *out ? ENG_OK : eng_fail_memory(place->err, "pinned ways");
}

static enum eng_status read_pins(const struct eng_json_place *place, const json_t *pins,
                                 struct eng_card_engine *engine)
{
    const char *node;
    json_t *value;
    size_t n = json_object_size(pins);
    if (!json_is_object(pins) || n > MAX_PINS)
        return eng_json_fail(place, "pin", pins, "an object of at most 65536 nodes");
    engine->pins = eng_arena_alloc(place->arena, n + 1, sizeof *engine->pins);
    if (!engine->pins) return eng_fail_memory(place->err, "pinned ways");
    engine->n_pins = 0;
    const struct eng_json_place inner = eng_json_within(place, "engine.pin");
    json_object_foreach((json_t *)pins, node, value)
    {
        struct eng_pin *pin = &engine->pins[engine->n_pins++];
        *pin = (struct eng_pin){0};
        enum eng_status status = copy_name(&inner, node, &pin->node);
        if (status == ENG_OK) status = read_method(&inner, node, value, &pin->method);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

enum eng_status card_read_engine(const struct eng_json_place *place, const char *key,
                                 const json_t *value, struct card_draft *draft)
{
    static const char *const own[] = {"pin", NULL};
    struct eng_card_engine *engine = &draft->source.engine;
    const struct eng_json_place inner = eng_json_within(place, key);
    if (!json_is_object(value))
        return eng_json_fail(place, key, value, "an object of precision, tuning, pin");
    enum eng_status status = eng_json_fields(&inner, value, fields, N_FIELDS, own, engine);
    const json_t *pins = json_object_get(value, "pin");
    return status == ENG_OK && pins ? read_pins(&inner, pins, engine) : status;
}
