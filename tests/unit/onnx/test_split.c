/* Large initializers are read apart from the rest of a file: nothing of the model shows it. */
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "onnx/onnx.h"
#include "onnx/split.h"
#include "temp_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { CAPACITY = 4 << 20, N_TENSORS = 6, GRAPH = 7, INITIALIZER = 5, RAW_DATA = 9 };

/* Elements of the initializers; 4096 floats have 16 KiB. */
static const size_t counts[N_TENSORS] = {40000, 2, 50000, 4095, 0, 4096};

struct buffer {
    uint8_t *bytes;
    size_t n;
};

static struct buffer begin(void)
{
    struct buffer b = {.bytes = malloc(CAPACITY)};
    assert_non_null(b.bytes);
    return b;
}

static void put(struct buffer *b, const void *bytes, size_t n)
{
    assert_true(n <= CAPACITY - b->n);
    if (n > 0) memcpy(b->bytes + b->n, bytes, n);
    b->n += n;
}

/* n_padding bytes more than needed, which say nothing. */
static void put_varint(struct buffer *b, uint64_t value, int n_padding)
{
    for (; value > 127 || n_padding > 0; value >>= 7) {
        if (value <= 127) n_padding--;
        put(b, &(uint8_t){(uint8_t)(value | 128)}, 1);
    }
    put(b, &(uint8_t){(uint8_t)value}, 1);
}

static void put_bytes(struct buffer *b, unsigned field, const void *bytes, size_t n, int n_padding)
{
    put_varint(b, field << 3 | 2, 0);
    put_varint(b, n, n_padding);
    put(b, bytes, n);
}

static void put_int(struct buffer *b, unsigned field, uint64_t value)
{
    put_varint(b, field << 3, 0);
    put_varint(b, value, 0);
}

static float element(size_t tensor, size_t i)
{
    return (float)(tensor * 100000 + i);
}

static void put_initializer(struct buffer *graph, size_t tensor, int n_padding)
{
    struct buffer b = begin();
    char name[8];
    snprintf(name, sizeof name, "w%zu", tensor);
    put_int(&b, 1, counts[tensor]);
    put_int(&b, 2, 1);
    put_bytes(&b, 8, name, strlen(name), 0);
    float *values = malloc((counts[tensor] + 1) * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < counts[tensor]; i++)
        values[i] = element(tensor, i);
    put_bytes(&b, RAW_DATA, values, counts[tensor] * sizeof *values, 0);
    put_bytes(graph, INITIALIZER, b.bytes, b.n, n_padding);
    free(values);
    free(b.bytes);
}

/* The initializers, other fields between them; in as many graph fields, which are one graph. */
static struct buffer model(int n_padding, int n_graphs)
{
    struct buffer file = begin();
    put_int(&file, 1, 8);
    for (int g = 0; g < n_graphs; g++) {
        struct buffer graph = begin();
        if (g == 0) put_bytes(&graph, 2, "graph", 5, 0);
        for (size_t t = 0; t < N_TENSORS; t++) {
            if ((int)t % n_graphs != g) continue;
            put_initializer(&graph, t, n_padding);
            put_bytes(&graph, 10, "passed over", 11, 0);
        }
        put_bytes(&file, GRAPH, graph.bytes, graph.n, n_padding);
        free(graph.bytes);
    }
    static const uint8_t opset[2] = {2 << 3, 13};
    put_bytes(&file, 8, opset, sizeof opset, 0);
    put_bytes(&file, 2, "test", 4, 0);
    return file;
}

/* order: the tensor that stands there. */
static void check(const struct onnx_model *found, const size_t *order)
{
    assert_int_equal(found->n_initializers, N_TENSORS);
    assert_string_equal(found->graph_name, "graph");
    assert_string_equal(found->producer_name, "test");
    assert_int_equal(found->opsets[0].version, 13);
    for (size_t i = 0; i < N_TENSORS; i++) {
        const struct eng_tensor *tensor = &found->initializers[i].tensor;
        char name[8];
        snprintf(name, sizeof name, "w%zu", order[i]);
        assert_string_equal(found->initializers[i].name, name);
        assert_int_equal(eng_shape_count(&tensor->shape), counts[order[i]]);
        assert_int_equal((uintptr_t)tensor->data % ENG_ALIGN, 0);
        for (size_t k = 0; k < counts[order[i]]; k++)
            assert_true(((const float *)tensor->data)[k] == element(order[i], k));
    }
}

static void large_initializers_are_found(void **state)
{
    (void)state;
    struct eng_arena arena;
    struct onnx_split split;
    struct buffer file = model(0, 1);
    const struct onnx_source source = {.bytes = file.bytes, .n_bytes = file.n};
    eng_arena_init(&arena);
    assert_int_equal(onnx_split(&source, &arena, &split, NULL), ENG_OK);
    static const size_t large[] = {0, 2, 5};
    size_t n_bytes = 0;
    assert_int_equal(split.n_parts, 3);
    for (size_t i = 0; i < split.n_parts; i++) {
        const struct onnx_part *part = &split.parts[i];
        assert_int_equal(part->index, large[i]);
        assert_int_equal(part->raw.n, counts[large[i]] * sizeof(float));
        assert_true(part->n_small < 40);
        assert_ptr_equal(part->data, split.data + n_bytes);
        n_bytes += eng_align_up(part->raw.n);
    }
    assert_int_equal(split.data_bytes, n_bytes);
    assert_in_range(split.n_rest, 4095 * 4, 4095 * 4 + 300);
    eng_block_free(split.data, split.data_bytes);
    eng_arena_fini(&arena);
    free(file.bytes);
}

/* Of several fields with elements the last counts, as protobuf has it. */
static void the_last_elements_count(void **state)
{
    (void)state;
    struct buffer tensor = begin(), graph = begin(), file = begin();
    float *values = calloc(5000, sizeof *values);
    assert_non_null(values);
    put_int(&tensor, 1, 5000);
    put_int(&tensor, 2, 1);
    put_bytes(&tensor, 8, "w", 1, 0);
    put_bytes(&tensor, RAW_DATA, values, 5000 * sizeof *values, 0);
    for (size_t i = 0; i < 5000; i++)
        values[i] = (float)i;
    put_bytes(&tensor, RAW_DATA, values, 5000 * sizeof *values, 0);
    put_bytes(&graph, INITIALIZER, tensor.bytes, tensor.n, 0);
    put_int(&file, 1, 8);
    put_bytes(&file, GRAPH, graph.bytes, graph.n, 0);
    static const uint8_t opset[2] = {2 << 3, 13};
    put_bytes(&file, 8, opset, sizeof opset, 0);
    struct onnx_model found;
    struct eng_error err = {0};
    if (onnx_model_read(file.bytes, file.n, &found, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_memory_equal(found.initializers[0].tensor.data, values, 5000 * sizeof *values);
    onnx_model_fini(&found);
    free(values);
    free(tensor.bytes);
    free(graph.bytes);
    free(file.bytes);
}

static void nothing_shows_that_they_were_apart(void **state)
{
    (void)state;
    static const size_t order[N_TENSORS] = {0, 1, 2, 3, 4, 5}, by_graph[] = {0, 2, 4, 1, 3, 5};
    for (int n_graphs = 1; n_graphs <= 2; n_graphs++) {
        for (int n_padding = 0; n_padding <= 2; n_padding += 2) {
            struct onnx_model found;
            struct eng_error err = {0};
            struct buffer file = model(n_padding, n_graphs);
            if (onnx_model_read(file.bytes, file.n, &found, &err) != ENG_OK)
                fail_msg("%s", err.text);
            check(&found, n_graphs == 1 ? order : by_graph);
            onnx_model_fini(&found);
            free(file.bytes);
        }
    }
}

static void a_file_is_read_piece_by_piece(void **state)
{
    (void)state;
    static const size_t order[N_TENSORS] = {0, 1, 2, 3, 4, 5}, by_graph[] = {0, 2, 4, 1, 3, 5};
    struct temp_folder folder = temp_folder_make();
    const char *path = temp_folder_file(&folder, "model.onnx");
    for (int n_graphs = 1; n_graphs <= 2; n_graphs++) {
        struct buffer bytes = model(2, n_graphs);
        struct eng_open_file file;
        struct onnx_model found;
        assert_int_equal(eng_file_write(path, bytes.bytes, bytes.n, NULL), ENG_OK);
        assert_int_equal(eng_file_open(path, bytes.n, &file, NULL), ENG_OK);
        assert_int_equal(onnx_model_read_file(&file, &found, NULL), ENG_OK);
        eng_open_file_close(&file);
        check(&found, n_graphs == 1 ? order : by_graph);
        onnx_model_fini(&found);
        free(bytes.bytes);
    }
    temp_folder_remove(&folder);
}

static void a_file_that_shrinks_is_refused(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    const char *path = temp_folder_file(&folder, "model.onnx");
    struct buffer bytes = model(0, 1);
    for (size_t n = 0; n < bytes.n; n += 29989) {
        struct eng_open_file file;
        struct onnx_model found;
        struct eng_error err = {0};
        assert_int_equal(eng_file_write(path, bytes.bytes, bytes.n, NULL), ENG_OK);
        assert_int_equal(eng_file_open(path, bytes.n, &file, NULL), ENG_OK);
        assert_int_equal(truncate(path, (off_t)n), 0);
        assert_int_equal(onnx_model_read_file(&file, &found, &err), ENG_IO);
        if (!strstr(err.text, "shrank")) fail_msg("%s", err.text);
        eng_open_file_close(&file);
    }
    free(bytes.bytes);
    temp_folder_remove(&folder);
}

/* Whatever is wrong is said as if it had been read at once. */
static void damage_is_refused(void **state)
{
    (void)state;
    struct buffer whole = model(0, 1);
    for (size_t n = 0; n < whole.n; n += n < 200 || n > whole.n - 200 ? 1 : 997) {
        struct onnx_model found;
        struct eng_error err = {0};
        uint8_t *cut = malloc(n + 1); /* so that a step beyond its end is seen */
        assert_non_null(cut);
        memcpy(cut, whole.bytes, n);
        enum eng_status status = onnx_model_read(cut, n, &found, &err);
        free(cut);
        if (status != ENG_OK) continue;
        assert_in_range(n, whole.n - 6, whole.n); /* without producer_name */
        onnx_model_fini(&found);
    }
    uint8_t *field = memchr(whole.bytes + 20, RAW_DATA << 3 | 2, 40);
    assert_non_null(field);
    *field = 15 << 3 | 2; /* a field that no tensor has */
    struct onnx_model found;
    struct eng_error err = {0};
    assert_int_equal(onnx_model_read(whole.bytes, whole.n, &found, &err), ENG_FORMAT);
    if (!strstr(err.text, "initializer 0")) fail_msg("%s", err.text);
    free(whole.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_initializers_are_found),
        cmocka_unit_test(nothing_shows_that_they_were_apart),
        cmocka_unit_test(the_last_elements_count),
        cmocka_unit_test(a_file_is_read_piece_by_piece),
        cmocka_unit_test(a_file_that_shrinks_is_refused),
        cmocka_unit_test(damage_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
