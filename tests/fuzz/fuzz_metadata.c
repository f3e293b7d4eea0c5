/*
 * Any bytes are refused, or get new metadata: then they do so again with the same result, and what
 * could be read as a model still can, with the new rows.
 */
#include "onnx/metadata.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static const struct onnx_property rows[] = {{"classifyd.top", "3"}, {"classifyd.labels", "[]"}};

static void require(int condition)
{
    if (!condition) abort();
}

static bool is_ours(const char *key, size_t n)
{
    return n > 10 && memcmp(key, "classifyd.", 10) == 0;
}

static void check_model(const uint8_t *data, size_t n_bytes, const uint8_t *file, size_t n_file)
{
    struct onnx_model before, after;
    if (onnx_model_read(data, n_bytes, &before, NULL) != ENG_OK) return;
    require(onnx_model_read(file, n_file, &after, NULL) == ENG_OK);
    require(after.n_nodes == before.n_nodes && after.n_initializers == before.n_initializers);
    require(strcmp(after.doc_string, "what it is") == 0);
    size_t n_ours = 0;
    for (size_t i = 0; i < after.n_properties; i++)
        n_ours += is_ours(after.properties[i].key, strlen(after.properties[i].key));
    require(n_ours == 2);
    onnx_model_fini(&before);
    onnx_model_fini(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    const struct onnx_metadata metadata = {
        .rows = rows, .n_rows = 2, .doc_string = "what it is", .replaces = is_ours};
    uint8_t *file = NULL, *again = NULL;
    size_t n_file = 0, n_again = 0;
    struct eng_error err = {0};
    enum eng_status status = onnx_metadata_replace(data, n_bytes, &metadata, &file, &n_file, &err);
    require(status == err.status);
    if (status != ENG_OK) return 0;
    require(onnx_metadata_replace(file, n_file, &metadata, &again, &n_again, NULL) == ENG_OK);
    require(n_again == n_file && memcmp(file, again, n_file) == 0);
    check_model(data, n_bytes, file, n_file);
    free(file);
    free(again);
    return 0;
}
