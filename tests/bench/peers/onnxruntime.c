/*
 * ONNX Runtime as a peer of `classify bench --turns`: loads a model, runs it once, says "ready",
 * then runs it as often as each line of standard input says and answers with the median and the
 * shortest time.
 *
 * usage: onnxruntime LIBRARY MODEL INPUT OUTPUT THREADS BATCH
 *
 * LIBRARY is libonnxruntime.so.1, as npm's onnxruntime-node brings it; without Node around it, so
 * that its times, memory and start are the library's own. Its C interface is a table of functions
 * whose order never changes; no header of it is needed. INPUT and OUTPUT are raw little-endian
 * floats: of the one input at least a batch, of the first output a batch. All graph optimisations
 * are on, the batch is known when the model is loaded, and threads may spin: ONNX Runtime's
 * defaults, which are its fastest settings.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Places in the table. */
enum {
    GET_ERROR_MESSAGE = 2,
    CREATE_ENV = 3,
    CREATE_SESSION = 7,
    RUN = 9,
    CREATE_SESSION_OPTIONS = 10,
    SET_GRAPH_OPTIMIZATION_LEVEL = 23,
    SET_INTRA_OP_NUM_THREADS = 24,
    SET_INTER_OP_NUM_THREADS = 25,
    SESSION_GET_OUTPUT_COUNT = 31,
    SESSION_GET_INPUT_TYPE_INFO = 33,
    SESSION_GET_INPUT_NAME = 36,
    SESSION_GET_OUTPUT_NAME = 37,
    CREATE_TENSOR_WITH_DATA = 49,
    GET_TENSOR_MUTABLE_DATA = 51,
    CAST_TYPE_INFO_TO_TENSOR_INFO = 55,
    GET_TENSOR_ELEMENT_TYPE = 60,
    GET_DIMENSIONS_COUNT = 61,
    GET_DIMENSIONS = 62,
    GET_TENSOR_SHAPE_ELEMENT_COUNT = 64,
    GET_TENSOR_TYPE_AND_SHAPE = 65,
    CREATE_CPU_MEMORY_INFO = 69,
    GET_DEFAULT_ALLOCATOR = 78,
    RELEASE_VALUE = 96,
    OVERRIDE_DIMENSION_BY_NAME = 124,
};

enum {
    API_VERSION = 14,
    LOG_ERRORS = 3,
    OPTIMIZE_ALL = 99,
    FLOAT = 1,
    ARENA_ALLOCATOR = 1,
    MAX_RANK = 8,
    MAX_OUTPUTS = 16,
};

typedef void any_fn(void);

struct api_base {
    any_fn *const *(*get_api)(uint32_t version);
    const char *(*get_version)(void);
};

/* All objects of the library are opaque: void. */
struct peer {
    any_fn *const *api;
    const char *version;
    void *session;
    char *input_name, *output_names[MAX_OUTPUTS];
    size_t n_outputs;
    void *input; /* the value, of a whole batch */
    void *outputs[MAX_OUTPUTS];
};

static void stop(const char *what, const char *why)
{
    fprintf(stderr, "onnxruntime: %s: %s\n", what, why);
    exit(1);
}

static void check(const struct peer *p, void *status, const char *what)
{
    if (status) stop(what, ((const char *(*)(void *))p->api[GET_ERROR_MESSAGE])(status));
}

/* Calls function INDEX, which takes TYPES and returns a status. */
#define CALL(p, INDEX, TYPES, ...) check(p, ((void *(*)TYPES)(p)->api[INDEX])(__VA_ARGS__), #INDEX)

static void load_library(struct peer *p, const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) stop(path, dlerror());
    const struct api_base *(*get_base)(void);
    *(void **)&get_base = dlsym(library, "OrtGetApiBase");
    if (!get_base) stop(path, "it has no OrtGetApiBase");
    p->api = get_base()->get_api(API_VERSION);
    p->version = get_base()->get_version();
    if (!p->api) stop(path, "it does not know this version of its interface");
}

static void open_model(struct peer *p, const char *path, int n_threads, int64_t batch)
{
    static const char *const batch_names[] = {"batch", "batch_size", "N"};
    void *env, *options;
    CALL(p, CREATE_ENV, (int, const char *, void **), LOG_ERRORS, "bench", &env);
    CALL(p, CREATE_SESSION_OPTIONS, (void **), &options);
    CALL(p, SET_GRAPH_OPTIMIZATION_LEVEL, (void *, int), options, OPTIMIZE_ALL);
    CALL(p, SET_INTRA_OP_NUM_THREADS, (void *, int), options, n_threads);
    CALL(p, SET_INTER_OP_NUM_THREADS, (void *, int), options, 1);
    for (size_t i = 0; i < sizeof batch_names / sizeof batch_names[0]; i++)
        CALL(p, OVERRIDE_DIMENSION_BY_NAME, (void *, const char *, int64_t), options,
             batch_names[i], batch);
    CALL(p, CREATE_SESSION, (void *, const char *, void *, void **), env, path, options,
         &p->session);
}

static void find_names(struct peer *p)
{
    void *allocator;
    CALL(p, GET_DEFAULT_ALLOCATOR, (void **), &allocator);
    CALL(p, SESSION_GET_INPUT_NAME, (void *, size_t, void *, char **), p->session, 0, allocator,
         &p->input_name);
    CALL(p, SESSION_GET_OUTPUT_COUNT, (void *, size_t *), p->session, &p->n_outputs);
    if (p->n_outputs > MAX_OUTPUTS) stop("the model", "it has too many outputs");
    for (size_t i = 0; i < p->n_outputs; i++)
        CALL(p, SESSION_GET_OUTPUT_NAME, (void *, size_t, void *, char **), p->session, i,
             allocator, &p->output_names[i]);
}

static float *read_floats(const char *path, size_t n)
{
    FILE *file = fopen(path, "rb");
    float *values = malloc(n * sizeof *values);
    if (!file || !values || fread(values, sizeof *values, n, file) != n)
        stop(path, "it cannot be read, or is shorter than the input");
    fclose(file);
    return values;
}

static void make_input(struct peer *p, const char *path, int64_t batch)
{
    void *type, *memory;
    const void *tensor;
    int element;
    size_t rank, n = 1;
    int64_t shape[MAX_RANK];
    CALL(p, SESSION_GET_INPUT_TYPE_INFO, (void *, size_t, void **), p->session, 0, &type);
    CALL(p, CAST_TYPE_INFO_TO_TENSOR_INFO, (void *, const void **), type, &tensor);
    CALL(p, GET_TENSOR_ELEMENT_TYPE, (const void *, int *), tensor, &element);
    CALL(p, GET_DIMENSIONS_COUNT, (const void *, size_t *), tensor, &rank);
    if (element != FLOAT || rank < 1 || rank > MAX_RANK) stop("the input", "floats are wanted");
    CALL(p, GET_DIMENSIONS, (const void *, int64_t *, size_t), tensor, shape, rank);
    if (shape[0] < 0) shape[0] = batch;
    if (shape[0] != batch) stop("the batch", "the model has another");
    for (size_t i = 0; i < rank; i++) {
        if (shape[i] < 1) stop("the input", "its shape is open");
        n *= (size_t)shape[i];
    }
    CALL(p, CREATE_CPU_MEMORY_INFO, (int, int, void **), ARENA_ALLOCATOR, 0, &memory);
    CALL(p, CREATE_TENSOR_WITH_DATA,
         (void *, void *, size_t, const int64_t *, size_t, int, void **), memory,
         read_floats(path, n), n * sizeof(float), shape, rank, FLOAT, &p->input);
}

static void run(struct peer *p)
{
    for (size_t i = 0; i < p->n_outputs; i++) {
        if (p->outputs[i]) ((void (*)(void *))p->api[RELEASE_VALUE])(p->outputs[i]);
        p->outputs[i] = NULL;
    }
    CALL(p, RUN,
         (void *, void *, char *const *, void *const *, size_t, char *const *, size_t, void **),
         p->session, NULL, &p->input_name, &p->input, 1, p->output_names, p->n_outputs, p->outputs);
}

static void write_answer(struct peer *p, const char *path)
{
    void *info, *data;
    size_t n;
    CALL(p, GET_TENSOR_TYPE_AND_SHAPE, (void *, void **), p->outputs[0], &info);
    CALL(p, GET_TENSOR_SHAPE_ELEMENT_COUNT, (void *, size_t *), info, &n);
    CALL(p, GET_TENSOR_MUTABLE_DATA, (void *, void **), p->outputs[0], &data);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, sizeof(float), n, file) != n || fclose(file) != 0)
        stop(path, "it cannot be written");
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void take_turn(struct peer *p, size_t n)
{
    double *ms = malloc(n * sizeof *ms), before = now_ms();
    if (!ms) stop("a turn", "out of memory");
    for (size_t i = 0; i < n; i++) {
        run(p);
        double now = now_ms();
        ms[i] = now - before;
        before = now;
    }
    qsort(ms, n, sizeof *ms, compare_doubles);
    printf("median_ms %.6f min_ms %.6f\n", ms[n / 2], ms[0]);
    free(ms);
}

int main(int argc, char **argv)
{
    if (argc != 7) stop("usage", "onnxruntime LIBRARY MODEL INPUT OUTPUT THREADS BATCH");
    struct peer peer = {0};
    int64_t batch = atoi(argv[6]);
    char line[64];
    load_library(&peer, argv[1]);
    open_model(&peer, argv[2], atoi(argv[5]), batch);
    find_names(&peer);
    make_input(&peer, argv[3], batch);
    run(&peer);
    printf("ready version %s\n", peer.version);
    fflush(stdout);
    write_answer(&peer, argv[4]);
    while (fgets(line, sizeof line, stdin)) {
        long n = strtol(line, NULL, 10);
        if (n < 1) stop("a turn", "a number of runs is wanted");
        take_turn(&peer, (size_t)n);
        fflush(stdout);
    }
    return 0;
}
