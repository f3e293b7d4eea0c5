/* Every allocation of a keyring fails once, when it is made and when it is read again. */
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

static enum eng_status create(void *ctx, struct eng_error *err)
{
    const struct sweep *sweep = ctx;
    struct srv_keyring *keyring = NULL;
    enum eng_status status =
        srv_keyring_create("api_keys_file", sweep->path, SRV_KEYS_TOKEN, &keyring, err);
    assert_true((status == ENG_OK) == (keyring != NULL));
    srv_keyring_destroy(keyring);
    return status;
}

static enum eng_status load(void *ctx, struct eng_error *err)
{
    const struct sweep *sweep = ctx;
    char id[SRV_KEY_ID_CHARS + 1];
    enum eng_status status = srv_keyring_load(sweep->keyring, err);
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
    assert_true(failing_malloc_sweep(create, &sweep) >= 4);
    assert_int_equal(
        srv_keyring_create("api_keys_file", sweep.path, SRV_KEYS_TOKEN, &sweep.keyring, NULL),
        ENG_OK);
    assert_true(failing_malloc_sweep(load, &sweep) >= 2);
    srv_keyring_destroy(sweep.keyring);
    temp_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_allocation_is_missed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
