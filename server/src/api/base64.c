#include "api/base64.h"

#include <nettle/base64.h>
#include <stdio.h>
#include <string.h>

bool srv_base64_decode(const char *text, size_t n_chars, uint8_t *out, size_t *n_out)
{
    /* nettle skips blanks; here they are errors. */
    if (n_chars % 4 != 0) return false;
    for (size_t i = 0; i < n_chars; i++)
        if ((unsigned char)text[i] <= ' ') return false;
    struct base64_decode_ctx ctx;
    size_t n = n_chars / 4 * 3;
    base64_decode_init(&ctx);
    if (!base64_decode_update(&ctx, &n, out, n_chars, text)) return false;
    if (!base64_decode_final(&ctx)) return false;
    *n_out = n;
    return true;
}

size_t srv_base64_tidy(char *text, size_t n_chars)
{
    size_t n = 0;
    for (size_t i = 0; i < n_chars; i++)
        if (!strchr(" \t\r\n\f\v", text[i]) || text[i] == '\0') text[n++] = text[i];
    bool is_padded = n > 0 && text[n - 1] == '=';
    while (n % 4 != 0 && !is_padded)
        text[n++] = '=';
    return n;
}

static bool is_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return c != '\0' && strchr(digits, c);
}

void srv_base64_explain(const char *text, size_t n_chars, char *out, size_t n_out)
{
    static const char wanted[] = "wanted A-Z a-z 0-9 + /, and = only to fill up the last four";
    size_t i = 0;
    while (i < n_chars && is_digit(text[i]))
        i++;
    size_t n_digits = i;
    while (i < n_chars && i < n_digits + 2 && text[i] == '=')
        i++;
    if (i < n_chars && text[i] > ' ' && text[i] <= '~')
        snprintf(out, n_out, "character %zu is '%c', %s", i, text[i], wanted);
    else if (i < n_chars)
        snprintf(out, n_out, "character %zu is 0x%02x, %s", i, (unsigned char)text[i], wanted);
    else
        snprintf(out, n_out, "it has %zu characters and %zu of =, %s", n_digits, i - n_digits,
                 wanted);
}
