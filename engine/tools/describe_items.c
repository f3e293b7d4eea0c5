/* The card as a table: each item, what it is, where it comes from. */
#include "describe_parts.h"

#include <stdarg.h>
#include <stdio.h>

enum { MAX_PRINTED_LABELS = 6 };

/* Text that is cut where its buffer ends. */
struct text {
    char bytes[320];
    size_t n;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *format, ...)
{
    if (text->n >= sizeof text->bytes) return;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text->bytes + text->n, sizeof text->bytes - text->n, format, args);
    va_end(args);
    text->n += n > 0 ? (size_t)n : 0;
}

static void add_labels(struct text *text, const struct eng_card *card)
{
    add(text, "%zu: ", card->n_classes);
    for (size_t i = 0; i < card->n_classes && i < MAX_PRINTED_LABELS; i++)
        add(text, "%s%.32s", i ? ", " : "", card->labels[i]);
    if (card->n_classes > MAX_PRINTED_LABELS) add(text, ", ...");
}

static void add_resize(struct text *text, const struct eng_preprocess *pre)
{
    add(text, "%s", describe_resize(pre));
    if (pre->resize == ENG_RESIZE_CENTER_CROP)
        add(text, ", shorter side to %u", pre->shorter_side_px);
}

static void add_values(struct text *text, const struct eng_preprocess *pre)
{
    const float *const rows[] = {pre->mean, pre->std};
    add(text, "pixel x %g", (double)pre->scale);
    for (size_t r = 0; r < 2; r++) {
        add(text, ", %s", r ? "std" : "mean");
        for (uint32_t c = 0; c < eng_preprocess_channels(pre); c++)
            add(text, " %g", (double)rows[r][c]);
    }
}

static void add_item(struct text *text, const struct eng_card *card, enum eng_card_item item)
{
    const struct eng_preprocess *pre = &card->preprocess;
    switch (item) {
    case ENG_CARD_LABELS:
        add_labels(text, card);
        break;
    case ENG_CARD_COLOR:
        add(text, "%s", describe_color(pre));
        break;
    case ENG_CARD_LAYOUT:
        add(text, "%s", describe_layout(pre));
        break;
    case ENG_CARD_SIZE:
        add(text, "%u x %u", pre->width_px, pre->height_px);
        break;
    case ENG_CARD_RESIZE:
        add_resize(text, pre);
        break;
    case ENG_CARD_FILTER:
        add(text, "%s%s", describe_filter(pre), pre->aliased ? ", not antialiased" : "");
        break;
    case ENG_CARD_BACKGROUND:
        add(text, "%u %u %u", pre->background[0], pre->background[1], pre->background[2]);
        break;
    case ENG_CARD_VALUES:
        add_values(text, pre);
        break;
    case ENG_CARD_OUTPUT:
        add(text, "'%.80s'", card->output);
        break;
    case ENG_CARD_SOFTMAX:
        add(text, "%s",
            card->add_softmax   ? "added to scores"
            : card->independent ? "not added: each class has a probability of its own"
                                : "not added: probabilities");
        break;
    case ENG_CARD_TOP:
        if (card->top)
            add(text, "%zu", card->top);
        else
            add(text, "as many as are asked for");
        break;
    case ENG_N_CARD_ITEMS:
        break;
    }
}

void describe_print_items(const struct eng_card *card)
{
    printf("%-14s %-8s %s\n", "item", "from", "value");
    for (unsigned i = 0; i < ENG_N_CARD_ITEMS; i++) {
        enum eng_card_item item = (enum eng_card_item)i;
        struct text text = {.n = 0};
        add_item(&text, card, item);
        printf("%-14s %-8s %s\n", eng_card_item_name(item), eng_origin_name(card->origin[i]),
               text.bytes);
    }
}
