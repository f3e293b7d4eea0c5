#include "train/knn.h"

#include "base/error.h"
#include "base/mem.h"
#include "train/streams.h"

#include <stdlib.h>

static const char *const distances[] = {"L1", "L2", NULL};

const struct eng_field eng_knn_fields[] = {
    ENG_F_INT(struct eng_knn_options, k, 1, 1, 1 << 24, "neighbours that vote"),
    ENG_F_CHOICE(struct eng_knn_options, distance, 0, distances, "how far two pictures are apart"),
    ENG_F_INT(struct eng_knn_options, samples, 0, 0, INT32_MAX,
              "training samples to keep, as many of each class; 0: all"),
};

const size_t eng_n_knn_fields = sizeof eng_knn_fields / sizeof *eng_knn_fields;

/* What is still to be chosen, in all and of each class. */
struct choice {
    bool *chosen;  /* [set->n] */
    size_t *quota; /* [set->n_classes] */
    size_t n_left;
};

static void choose(const struct eng_dataset *set, const uint32_t *order, bool by_class,
                   struct choice *choice)
{
    for (size_t i = 0; i < set->n && choice->n_left > 0; i++) {
        size_t *quota = &choice->quota[set->labels[order[i]]];
        if (choice->chosen[order[i]] || (by_class && *quota == 0)) continue;
        if (by_class) --*quota;
        choice->chosen[order[i]] = true;
        choice->n_left--;
    }
}

enum eng_status eng_knn_choose(const struct eng_dataset *set, uint64_t seed, size_t n,
                               uint32_t *out, struct eng_error *err)
{
    struct choice choice = {.chosen = eng_calloc(set->n, sizeof *choice.chosen),
                            .quota = eng_calloc(set->n_classes, sizeof *choice.quota),
                            .n_left = n};
    uint32_t *order = eng_calloc(set->n, sizeof *order);
    bool ready = choice.chosen && choice.quota && order;
    if (ready) {
        struct eng_rng rng = eng_stream_rng(seed, ENG_STREAM_SHUFFLE, 0, 0);
        eng_rng_shuffle(&rng, order, set->n);
        for (size_t c = 0; c < set->n_classes; c++)
            choice.quota[c] = n / set->n_classes + (c < n % set->n_classes);
        choose(set, order, true, &choice);
        choose(set, order, false, &choice); /* a class had too few */
        for (size_t i = 0; i < set->n; i++)
            if (choice.chosen[i]) *out++ = (uint32_t)i;
    }
    free(order);
    free(choice.chosen);
    free(choice.quota);
    return ready ? ENG_OK : eng_fail_memory(err, "the choice of samples");
}
