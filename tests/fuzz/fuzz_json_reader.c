/* Any text is JSON to the reader exactly if it is to jansson, but for what the header names;
 * numbers are the same. */
#include "base/json_reader.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static void require(int condition)
{
    if (!condition) abort();
}

/* What json_loadb refuses and the reader takes, or the other way round: whole numbers beyond 64
 * bits, depth, and a zero byte behind a number or a word, which jansson passes over. */
static int is_known(const json_error_t *problem, const struct eng_error *err)
{
    return strstr(problem->text, "too big") || strstr(err->text, "deeper than") ||
           strstr(err->text, "found byte 0x00");
}

static void check_numbers(const char *text, size_t n_bytes)
{
    struct srv_json json;
    struct srv_json_numbers numbers;
    srv_json_init(&json, text, n_bytes, NULL);
    if (!srv_json_read_numbers(&json, 100, &numbers)) return;
    size_t n = 1;
    for (size_t i = 0; i < numbers.rank; i++)
        n *= numbers.dim[i];
    require(numbers.rank >= 1 && n == numbers.n && n <= 100);
    json_t *root = json_loadb(text, n_bytes, JSON_DISABLE_EOF_CHECK, NULL);
    if (root && numbers.rank == 1) {
        require(json_array_size(root) == n);
        for (size_t i = 0; i < n; i++)
            require((float)json_number_value(json_array_get(root, i)) == numbers.values[i]);
    }
    json_decref(root);
    free(numbers.values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    char *text = malloc(n_bytes + 1);
    require(text != NULL);
    if (n_bytes > 0) memcpy(text, data, n_bytes);
    text[n_bytes] = '\0';
    struct srv_json json;
    struct eng_error err = {0};
    json_error_t problem = {0};
    srv_json_init(&json, text, n_bytes, &err);
    srv_json_skip(&json);
    int taken = srv_json_end(&json);
    require(taken == (err.status == ENG_OK) && taken == (err.text[0] == '\0'));
    json_t *root = json_loadb(text, n_bytes, JSON_DECODE_ANY | JSON_ALLOW_NUL, &problem);
    require(taken == (root != NULL) || is_known(&problem, &err));
    json_decref(root);
    check_numbers(text, n_bytes);
    free(text);
    return 0;
}
