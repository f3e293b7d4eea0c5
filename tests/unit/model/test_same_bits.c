/* The same sample gives the same bits wherever in a batch it stands, however large the batch is and
 * however many threads compute it: whole models at every level. */
#include "engine/pool.h"
#include "whole_models.h"

enum { MAX_BATCH = 12, MAX_THREADS = 3 };

struct samples {
    size_t n, n_classes;
    float *x, *alone; /* [MAX_BATCH, n], [MAX_BATCH, n_classes] */
};

static void samples_init(struct samples *s, size_t which, const struct eng_model *model)
{
    struct eng_session *session;
    s->n = whole_model_sample_floats(model);
    s->n_classes = eng_model_card(model)->n_classes;
    s->x = malloc(MAX_BATCH * s->n * sizeof *s->x);
    s->alone = malloc(MAX_BATCH * s->n_classes * sizeof *s->alone);
    assert_true(s->x && s->alone);
    assert_int_equal(eng_session_create(model, NULL, &session, NULL), ENG_OK);
    for (int i = 0; i < MAX_BATCH; i++) {
        whole_model_picture(which, i, s->x + (size_t)i * s->n, s->n);
        memcpy(eng_session_sample(session, 1, 0), s->x + (size_t)i * s->n, s->n * sizeof *s->x);
        memcpy(s->alone + (size_t)i * s->n_classes, eng_session_classify(session, 1),
               s->n_classes * sizeof *s->alone);
    }
    eng_session_destroy(session);
    int n_others = 0;
    for (size_t i = 1; i < MAX_BATCH; i++)
        n_others +=
            memcmp(s->alone, s->alone + i * s->n_classes, s->n_classes * sizeof *s->alone) != 0;
    assert_true(n_others > 0);
}

/* Every sample comes to stand at another place in each batch. */
static void check_batch(const struct samples *s, struct eng_session *session, int n)
{
    for (int i = 0; i < n; i++)
        memcpy(eng_session_sample(session, n, i), s->x + (size_t)((i + n) % MAX_BATCH) * s->n,
               s->n * sizeof *s->x);
    const float *y = eng_session_classify(session, n);
    for (int i = 0; i < n; i++)
        if (memcmp(y + (size_t)i * s->n_classes,
                   s->alone + (size_t)((i + n) % MAX_BATCH) * s->n_classes,
                   s->n_classes * sizeof *y) != 0)
            fail_msg("sample %d of a batch of %d", i, n);
}

static void check_threads(const struct eng_model *model, const struct samples *s, int n_threads)
{
    struct eng_pool *pool = NULL; /* the caller is a thread too */
    struct eng_session *session;
    if (n_threads > 1) assert_int_equal(eng_pool_create(n_threads - 1, &pool, NULL), ENG_OK);
    assert_int_equal(eng_session_create(model, pool, &session, NULL), ENG_OK);
    /* The large ones, with helpers, in fewer sizes. */
    bool is_large = s->n * s->n_classes > 784 * 10 && n_threads > 1;
    for (int n = 1; n <= 9; n += is_large ? 4 : 1)
        check_batch(s, session, n);
    check_batch(s, session, MAX_BATCH);
    eng_session_destroy(session);
    eng_pool_destroy(pool);
}

static void all_models(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_WHOLE_MODELS; i++) {
        struct eng_model *model = whole_model_open(i, MAX_BATCH);
        struct samples s;
        print_message("%s\n", whole_models[i]);
        assert_int_equal(eng_model_max_batch(model), MAX_BATCH);
        samples_init(&s, i, model);
        for (int n_threads = 1; n_threads <= MAX_THREADS; n_threads++)
            check_threads(model, &s, n_threads);
        free(s.x);
        free(s.alone);
        eng_model_destroy(model);
    }
}

static void every_level(void **state)
{
    (void)state;
    at_every_level(all_models, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_level)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
