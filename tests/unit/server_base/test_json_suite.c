/* Nicolas Seriot's JSONTestSuite, of the real data: y_ is taken, n_ refused, i_ as jansson does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_reader.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 1 << 20, SKIPPED = 77 };

static char folder[2048];

static size_t read_file(const char *name, char *text)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(text, 1, MAX_BYTES, file);
    fclose(file);
    text[n] = '\0';
    return n;
}

static bool takes(const char *text, size_t n, struct eng_error *err)
{
    struct srv_json json;
    srv_json_init(&json, text, n, err);
    srv_json_skip(&json);
    return srv_json_end(&json);
}

/* i_: the RFC leaves it open. jansson has no limit of 32 lists, and refuses numbers beyond 64 bits.
 */
static bool agrees(const char *text, size_t n, bool taken, const struct eng_error *err)
{
    json_error_t problem;
    json_t *root = json_loadb(text, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &problem);
    bool known =
        root ? strstr(err->text, "deeper than") != NULL : strstr(problem.text, "too big") != NULL;
    json_decref(root);
    return taken == (root != NULL) || known;
}

static void suite(void **state)
{
    (void)state;
    DIR *dir = opendir(folder);
    char *text = malloc(MAX_BYTES + 1);
    size_t n_files = 0;
    assert_non_null(dir);
    assert_non_null(text);
    for (struct dirent *entry; (entry = readdir(dir));) {
        const char *name = entry->d_name;
        if (!strstr(name, ".json")) continue;
        struct eng_error err = {0};
        size_t n = read_file(name, text);
        bool taken = takes(text, n, &err);
        n_files++;
        if (name[0] == 'y' && !taken) fail_msg("%s: %s", name, err.text);
        if (name[0] == 'n' && taken) fail_msg("%s was taken", name);
        if (name[0] == 'i' && !agrees(text, n, taken, &err))
            fail_msg("%s: taken %d, jansson does otherwise; %s", name, taken, err.text);
    }
    free(text);
    closedir(dir);
    assert_true(n_files > 300);
}

int main(void)
{
    const char *data = getenv("CLASSIFYD_DATA");
    if (!data) return SKIPPED;
    snprintf(folder, sizeof folder, "%s/json-test-suite/test_parsing", data);
    DIR *dir = opendir(folder);
    if (!dir) return SKIPPED;
    closedir(dir);
    const struct CMUnitTest tests[] = {cmocka_unit_test(suite)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
