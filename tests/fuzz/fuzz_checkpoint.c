/* Any bytes are a checkpoint or an error sentence, and a checkpoint is written back as it was read.
 */
#include "base/digest.h"
#include "train/checkpoint.h"
#include "train/recipe_difference.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static const char recipe[] = "{\"name\":\"x\",\"epochs\":3,\"layers\":[{\"op\":\"Flatten\"}]}";

/* What --resume does next: compares texts of the file with the recipe at hand. */
static void compare(const struct eng_checkpoint *c)
{
    char *changes = NULL;
    struct eng_error err = {0};
    if (eng_recipe_compare("checkpoint", c->recipe, "recipe", recipe, c->epochs.n + 1, c->changes,
                           &changes, &err) != ENG_OK &&
        !err.text[0])
        abort();
    free(changes);
}

static void check(const struct eng_checkpoint *c, const uint8_t *file, size_t n_bytes)
{
    uint8_t *again = NULL;
    size_t n_again;
    if (eng_checkpoint_format(c, &again, &n_again, NULL) != ENG_OK) abort();
    if (n_again != n_bytes || memcmp(again, file, n_bytes) != 0) abort();
    free(again);
}

static void parse(const uint8_t *file, size_t n_bytes)
{
    struct eng_arena arena;
    struct eng_checkpoint checkpoint;
    struct eng_error err = {0};
    eng_arena_init(&arena);
    if (eng_checkpoint_parse("checkpoint", file, n_bytes, &arena, &checkpoint, &err) == ENG_OK) {
        check(&checkpoint, file, n_bytes);
        compare(&checkpoint);
    } else if (!err.text[0]) {
        abort();
    }
    eng_arena_fini(&arena);
}

/* As they are, and with the digest that lets the parser go on to the chunks. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    enum { DIGEST = ENG_DIGEST_CHARS - 1 };
    char digest[ENG_DIGEST_CHARS];
    parse(data, n_bytes);
    uint8_t *file = malloc(n_bytes + DIGEST);
    if (!file) abort();
    if (n_bytes > 0) memcpy(file, data, n_bytes);
    eng_digest_sha256(file, n_bytes, digest);
    memcpy(file + n_bytes, digest, DIGEST);
    parse(file, n_bytes + DIGEST);
    free(file);
    return 0;
}
