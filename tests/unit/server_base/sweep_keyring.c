/* Every allocation of a keyring fails once, when it is made and when it is read again. */
#include "base/fail.h"
#include "base/keyring.h"

#include "failing_malloc.h"
#include "temp_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct sweep {
    const char *path;
    struct srv_keyring *keyring;
};

/* From a list of no files to one that goes by the file, as at a start. */
static enum eng_status start(void *ctx, struct eng_error *err)
{
    const struct sweep *sweep = ctx;
    enum eng_status status = ENG_OK;
    struct srv_watched *watched = srv_watched_create(NULL);
    struct srv_keyring *keyring = srv_keyring_create("api_keys_file", SRV_KEYS_TOKEN);
    if (!watched || !keyring) {
        status = srv_fail_memory(err, "the keys");
    } else {
        srv_watched_add(watched, "api_keys_file", &srv_keyring_file, keyring);
        status = srv_watched_prepare(watched, "api_keys_file", sweep->path, "", err);
        srv_watched_take(watched);
        assert_true((status == ENG_OK) == srv_keyring_asks(keyring));
    }
    srv_watched_destroy(watched);
    srv_keyring_destroy(keyring);
    return status;
}

static enum eng_status load(void *ctx, struct eng_error *err)
{
    const struct sweep *sweep = ctx;
    char id[SRV_KEY_ID_CHARS + 1];
    void *keys = NULL;
    enum eng_status status = srv_keyring_file.prepare(sweep->keyring, sweep->path, "", &keys, err);
    if (status == ENG_OK) srv_keyring_file.take(sweep->keyring, keys);
    assert_true(srv_keyring_match(sweep->keyring, "secret", id));
    return status;
}

static void no_allocation_is_missed(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    struct sweep sweep = {.path = temp_folder_file(&folder, "token")};
    FILE *file = fopen(sweep.path, "w");
    assert_non_null(file);
    fputs("secret\n", file);
    fclose(file);
    assert_true(failing_malloc_sweep(start, &sweep) >= 6);
    sweep.keyring = srv_keyring_create("api_keys_file", SRV_KEYS_TOKEN);
    assert_non_null(sweep.keyring);
    assert_true(failing_malloc_sweep(load, &sweep) >= 2);
    srv_keyring_destroy(sweep.keyring);
    temp_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_allocation_is_missed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
