/* How much memory a process needs at most to open a model of large weights and run it. */
#include "base/file.h"
#include "engine/session.h"
#include "net_file.h"
#include "temp_folder.h"

#include <sys/wait.h>
#include <unistd.h>

/* Sanitizers keep what was freed, and shadows of everything. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER true
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER false
#endif

static const size_t SPARE_BYTES = (size_t)8 << 20; /* heap, tables, the ends of huge pages */

/* Two convolutions, one of them Winograd's, and two large products: 40 MB. */
static void write_file(const char *path)
{
    struct net net;
    net_init(&net, 1);
    static const int64_t pads[4] = {1, 1, 1, 1};
    struct eng_attr pad = net_ints("pads", pads, 4);
    struct eng_attr trans_b = {.name = "transB", .type = ENG_ATTR_INT, .i = 1};
    int x = net_input(&net, "x", NET_SHAPE(-1, 256, 14, 14));
    int w = net_weight(&net, "conv.w", NET_SHAPE(256, 256, 3, 3), -0.01f, 0.01f);
    int conv = net_node(&net, "Conv", "conv", (int[]){x, w}, 2, &pad, 1);
    w = net_weight(&net, "wide.w", NET_SHAPE(1024, 256, 1, 1), -0.01f, 0.01f);
    int wide = net_node(&net, "Conv", "wide", (int[]){conv, w}, 2, NULL, 0);
    int mean = net_node(&net, "GlobalAveragePool", "mean", &wide, 1, NULL, 0);
    int flat = net_node(&net, "Flatten", "flat", &mean, 1, NULL, 0);
    w = net_weight(&net, "hidden.w", NET_SHAPE(6144, 1024), -0.01f, 0.01f);
    int hidden = net_node(&net, "Gemm", "hidden", (int[]){flat, w}, 2, &trans_b, 1);
    w = net_weight(&net, "logits.w", NET_SHAPE(512, 6144), -0.01f, 0.01f);
    net_output(&net, net_node(&net, "Gemm", "logits", (int[]){hidden, w}, 2, &trans_b, 1));
    uint8_t *bytes;
    size_t n_bytes;
    net_to_bytes(&net, NULL, 0, &bytes, &n_bytes);
    net_fini(&net);
    assert_int_equal(eng_file_write(path, bytes, n_bytes, NULL), ENG_OK);
    free(bytes);
}

/* A line of /proc/self/status, in bytes. */
static size_t own_bytes(const char *name)
{
    char line[256];
    unsigned long n_kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0) sscanf(line + strlen(name), ": %lu", &n_kib);
    fclose(file);
    assert_true(n_kib > 0);
    return (size_t)n_kib << 10;
}

static void open_and_run(const char *path)
{
    size_t before_bytes = own_bytes("VmRSS"), file_bytes;
    struct eng_model_options options = {.max_batch = 1};
    struct eng_model *model;
    struct eng_session *session;
    struct eng_open_file file;
    struct eng_error err = {0};
    assert_int_equal(eng_file_open(path, SIZE_MAX, &file, NULL), ENG_OK);
    file_bytes = file.n_bytes;
    eng_open_file_close(&file);
    if (eng_model_open(path, &options, &model, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_int_equal(eng_session_create(model, NULL, &session, NULL), ENG_OK);
    float *input = calloc(256 * 14 * 14, sizeof *input);
    assert_non_null(input);
    struct eng_tensor x = {.dtype = ENG_FLOAT32, .shape = NET_SHAPE(1, 256, 14, 14), .data = input};
    struct eng_tensor y;
    if (eng_session_run(session, &x, 1, &y, 1, &err) != ENG_OK) fail_msg("%s", err.text);
    size_t most_bytes = file_bytes / 2 * 3 + eng_session_arena_bytes(session) + SPARE_BYTES;
    size_t found_bytes = own_bytes("VmHWM") - before_bytes;
    if (found_bytes > most_bytes)
        fail_msg("%zu KiB for a file of %zu KiB, wanted at most %zu KiB", found_bytes >> 10,
                 file_bytes >> 10, most_bytes >> 10);
    free(input);
    eng_session_destroy(session);
    eng_model_destroy(model);
}

/* In a process of its own, so that what it leaves behind counts for nobody else. */
static void in_child(void (*what)(const char *path), const char *path)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        what(path);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void large_weights_are_there_once(void **state)
{
    (void)state;
    if (HAS_SANITIZER) skip();
    struct temp_folder folder = temp_folder_make();
    const char *path = temp_folder_file(&folder, "model.onnx");
    in_child(write_file, path);
    in_child(open_and_run, path);
    temp_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(large_weights_are_there_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
