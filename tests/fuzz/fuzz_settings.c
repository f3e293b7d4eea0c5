/* Any setting on any recipe: lines up to the first empty one are settings, the rest is the recipe.
 */
#include "train/recipe.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

enum { MAX_SETTINGS = 8 };

/* Cuts the lines off text. Returns how many; *rest is what follows the empty line. */
static size_t take_settings(char *text, const char *settings[MAX_SETTINGS], char **rest)
{
    size_t n = 0;
    char *line = text, *end;
    while ((end = strchr(line, '\n')) && end > line) {
        *end = '\0';
        if (n < MAX_SETTINGS) settings[n++] = line;
        line = end + 1;
    }
    *rest = end ? end + 1 : line;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    char *text = malloc(n_bytes + 1), *rest;
    if (!text) return 0;
    memcpy(text, data, n_bytes);
    text[n_bytes] = '\0';
    const char *settings[MAX_SETTINGS];
    size_t n = take_settings(text, settings, &rest);
    const struct eng_recipe_overrides overrides = {
        .seed = -1, .settings = settings, .n_settings = n};
    struct eng_recipe recipe;
    struct eng_error err = {0};
    size_t n_rest = n_bytes - (size_t)(rest - text);
    if (eng_recipe_parse("recipe", rest, n_rest, &overrides, &recipe, &err) == ENG_OK) {
        struct eng_recipe again; /* what was run can be run again, without settings */
        if (eng_recipe_parse("text", recipe.text, strlen(recipe.text), NULL, &again, NULL) !=
            ENG_OK)
            abort();
        eng_recipe_fini(&again);
        eng_recipe_fini(&recipe);
    } else if (!err.text[0]) {
        abort();
    }
    free(text);
    return 0;
}
