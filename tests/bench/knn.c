/*
 * Nearest neighbours over a whole data set: every test picture with every training picture.
 *
 *     bench_knn DIR [--queries N] [--distance L1|L2] [--threads N]
 *
 * Prints "ms-a-query seconds accuracy peak-MiB": k = 1; seconds are those of the search alone.
 */
#include "base/stopwatch.h"
#include "kernels/nearest.h"
#include "train/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { BATCH = 256 };

static struct eng_dataset load(const char *dir, enum eng_split split)
{
    const struct eng_dataset_options options = {0};
    const struct eng_dataset_source source = {.dir = dir, .options = &options, .split = split};
    struct eng_dataset set;
    struct eng_error err = {0};
    if (eng_dataset_load(&source, &set, &err) != ENG_OK) {
        fprintf(stderr, "bench_knn: %s\n", err.text);
        exit(1);
    }
    return set;
}

static void *allocate(size_t n_bytes)
{
    void *memory = aligned_alloc(64, (n_bytes + 63) / 64 * 64);
    if (!memory) exit(1);
    return memory;
}

/* Returns how many of the n queries from first have their nearest neighbour's label. */
static size_t run(struct eng_nearest *nearest, const struct eng_dataset *train,
                  const struct eng_dataset *test, size_t first, size_t n, struct eng_pool *pool)
{
    size_t n_bytes, n_correct = 0, n_values = n * nearest->n_features;
    nearest->n_queries = n;
    if (!eng_nearest_scratch_bytes(nearest, &n_bytes)) exit(1);
    void *scratch = allocate(n_bytes);
    float *queries = allocate(n_values * sizeof *queries);
    struct eng_neighbour *out = allocate(n * sizeof *out);
    for (size_t i = 0; i < n_values; i++)
        queries[i] = eng_dataset_sample(test, first)[i];
    eng_nearest_run(nearest, queries, out, scratch, pool);
    for (size_t i = 0; i < n; i++)
        n_correct += train->labels[out[i].index] == test->labels[first + i];
    free(scratch);
    free(queries);
    free(out);
    return n_correct;
}

int main(int argc, char **argv)
{
    struct eng_nearest nearest = {.distance = ENG_DISTANCE_L1, .k = 1};
    struct eng_pool *pool;
    struct rusage usage;
    size_t n_queries = SIZE_MAX, n_correct = 0;
    int n_threads = 2;
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--queries") == 0) n_queries = strtoul(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--threads") == 0) n_threads = atoi(argv[i + 1]);
        if (strcmp(argv[i], "--distance") == 0 && strcmp(argv[i + 1], "L2") == 0)
            nearest.distance = ENG_DISTANCE_L2;
    }
    if (argc < 2 || argc % 2 != 0 || eng_pool_create(n_threads, &pool, NULL) != ENG_OK) return 2;
    struct eng_dataset train = load(argv[1], ENG_SPLIT_TRAIN), test = load(argv[1], ENG_SPLIT_TEST);
    nearest.n_references = train.n;
    nearest.n_features = eng_dataset_sample_bytes(&train);
    /* Aligned, as a model's constants are. */
    uint8_t *references = allocate(train.n * nearest.n_features);
    memcpy(references, train.pixels, train.n * nearest.n_features);
    free(train.pixels);
    train.pixels = NULL;
    nearest.references = references;
    if (n_queries > test.n) n_queries = test.n;
    double start_s = eng_stopwatch_s();
    for (size_t first = 0; first < n_queries; first += BATCH)
        n_correct += run(&nearest, &train, &test, first,
                         n_queries - first < BATCH ? n_queries - first : BATCH, pool);
    double seconds = eng_stopwatch_s() - start_s;
    getrusage(RUSAGE_SELF, &usage);
    printf("%.4f %.3f %.4f %.0f\n", 1e3 * seconds / (double)n_queries, seconds,
           (double)n_correct / (double)n_queries, (double)usage.ru_maxrss / 1024);
    free(references);
    eng_dataset_fini(&train);
    eng_dataset_fini(&test);
    eng_pool_destroy(pool);
    return 0;
}
