/*
 * Any text as the config file is settings or an error sentence; what was taken lies within the
 * rows' bounds, is printed, and reads back the same. Also as "key=value" of --set and as an
 * address.
 */
#include "base/address.h"
#include "base/config_table.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static void require(int condition)
{
    if (!condition) abort();
}

static void check_bounds(struct srv_config *config)
{
    for (size_t i = 0; i < srv_n_settings; i++) {
        const struct srv_setting *s = &srv_settings[i];
        if (s->kind != SRV_SETTING_INT) continue;
        int64_t value = *srv_setting_number(config, s);
        require(value >= s->min && value <= s->max);
    }
}

static char *print(const struct srv_config *config, size_t *n)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, n);
    require(out != NULL);
    (void)srv_config_print(config, out);
    fclose(out);
    return text;
}

static void print_and_read_back(const struct srv_config *config)
{
    struct srv_config again;
    size_t n = 0, n_again = 0;
    char *text = print(config, &n);
    require(srv_config_init(&again, NULL) == ENG_OK);
    require(srv_config_read_json(&again, text, n, "printed", NULL) == ENG_OK);
    char *text_again = print(&again, &n_again);
    require(n == n_again && memcmp(text, text_again, n) == 0);
    free(text);
    free(text_again);
    srv_config_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct srv_config config;
    struct eng_error err = {0};
    require(srv_config_init(&config, NULL) == ENG_OK);
    enum eng_status status =
        srv_config_read_json(&config, (const char *)data, n_bytes, "file", &err);
    require(status == err.status);
    require((status == ENG_OK) == (err.text[0] == '\0'));
    char *text = malloc(n_bytes + 1);
    require(text != NULL);
    memcpy(text, data, n_bytes);
    text[n_bytes] = '\0';
    struct srv_address address;
    if (srv_address_parse(text, &address, NULL) == ENG_OK) srv_address_is_loopback(&address);
    char *equals = strchr(text, '=');
    if (equals) {
        *equals = '\0';
        srv_config_set(&config, text, equals + 1, "--set", NULL);
    }
    free(text);
    check_bounds(&config);
    srv_config_check(&config, NULL);
    print_and_read_back(&config);
    srv_config_fini(&config);
    return 0;
}
