/* A class as people name it. */
#include "base/error.h"
#include "base/spelling.h"
#include "engine/model.h"

#include <stdlib.h>
#include <string.h>

/* Whether the text is a number of a class. */
static bool read_number(const char *text, size_t n_classes, size_t *out)
{
    size_t n_digits = strspn(text, "0123456789");
    if (n_digits == 0 || text[n_digits] != '\0' || n_digits > 9) return false;
    *out = strtoul(text, NULL, 10);
    return *out < n_classes;
}

static bool is_whole(const char *label, const char *text)
{
    return strcmp(label, text) == 0;
}

/* Whether the text is one of the names that the label's commas part. */
static bool is_part(const char *label, const char *text)
{
    size_t n = strlen(text);
    while (n > 0) {
        label += strspn(label, " ");
        size_t n_part = strcspn(label, ",");
        if (n_part == n && memcmp(label, text, n) == 0) return true;
        label += n_part;
        if (*label++ == '\0') break;
    }
    return false;
}

/* The first class from begin on whose label is called so; n_classes if there is none. */
static size_t find_label(const struct eng_card *card, const char *text, size_t begin,
                         bool (*is_called)(const char *label, const char *text))
{
    size_t i = begin;
    while (i < card->n_classes && !is_called(card->labels[i], text))
        i++;
    return i;
}

static enum eng_status fail_unknown(const struct eng_card *card, const char *text,
                                    struct eng_error *err)
{
    if (card->n_classes == 0)
        return eng_fail(err, ENG_ARGUMENT, "class is \"%.80s\", but the model has no classes",
                        text);
    const char *nearest = eng_text_nearest_of(text, card->labels, card->n_classes);
    return eng_fail(err, ENG_ARGUMENT,
                    "class is \"%.80s\"; wanted a number from 0 to %zu or a label%s%.80s%s", text,
                    card->n_classes - 1, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                    nearest ? "\"?" : "");
}

enum eng_status eng_card_find_class(const struct eng_card *card, const char *text, size_t *out,
                                    struct eng_error *err)
{
    size_t number;
    if (read_number(text, card->n_classes, &number)) {
        *out = number;
        return ENG_OK;
    }
    bool (*const ways[])(const char *, const char *) = {is_whole, is_part};
    for (size_t way = 0; way < 2; way++) {
        size_t found = find_label(card, text, 0, ways[way]);
        if (found == card->n_classes) continue;
        size_t other = find_label(card, text, found + 1, ways[way]);
        if (other < card->n_classes)
            return eng_fail(err, ENG_ARGUMENT,
                            "class is \"%.80s\", which is what the classes %zu and %zu are called; "
                            "wanted a number",
                            text, found, other);
        *out = found;
        return ENG_OK;
    }
    return fail_unknown(card, text, err);
}
