#include "base/text.h"

#include <math.h>
#include <string.h>

/*
 * printf takes a microsecond for a float, ten of them were a fifth of a small model's request. A
 * double holds value x 10^k to within 2^-52, far finer than the nine digits that tell floats apart.
 */
enum { N_DIGITS = 9, LEAST_EXPONENT = -45, LEAST_DECIMAL_EXPONENT = -4 };

static const double powers_of_ten[] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13,
    1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27,
    1e28, 1e29, 1e30, 1e31, 1e32, 1e33, 1e34, 1e35, 1e36, 1e37, 1e38, 1e39, 1e40, 1e41,
    1e42, 1e43, 1e44, 1e45, 1e46, 1e47, 1e48, 1e49, 1e50, 1e51, 1e52, 1e53,
};

_Static_assert(sizeof powers_of_ten / sizeof powers_of_ten[0] == N_DIGITS - LEAST_EXPONENT,
               "the smallest float times the last power has nine digits");

/* 0 < value <= 1 as digits d.dddddddd x 10^exponent, trailing zeros cut. Returns their number. */
static size_t find_digits(float value, char digits[N_DIGITS], int *exponent)
{
    int binary;
    frexpf(value, &binary);
    int e = (int)floor((binary - 1) * 0.30103); /* log10(2); right or one too low */
    uint64_t n;
    while ((n = (uint64_t)((double)value * powers_of_ten[N_DIGITS - 1 - e] + 0.5)) >= 1000000000)
        e++;
    for (size_t i = N_DIGITS; i-- > 0; n /= 10)
        digits[i] = (char)('0' + n % 10);
    *exponent = e;
    size_t n_digits = N_DIGITS;
    while (digits[n_digits - 1] == '0')
        n_digits--;
    return n_digits;
}

void srv_text_float(struct srv_text *text, float value)
{
    if (!isfinite(value)) {
        srv_text_puts(text, "null");
        return;
    }
    if (!(value > 0 && value <= 1)) {
        srv_text_printf(text, "%.9g", (double)value);
        return;
    }
    char digits[N_DIGITS], out[24] = "0.000";
    int exponent;
    size_t n_digits = find_digits(value, digits, &exponent), n;
    if (exponent < 0 && exponent >= LEAST_DECIMAL_EXPONENT) {
        n = (size_t)(1 - exponent); /* "0." and the zeros */
        memcpy(out + n, digits, n_digits);
        srv_text_append(text, out, n + n_digits);
        return;
    }
    out[0] = digits[0];
    memcpy(out + 2, digits + 1, n_digits - 1);
    n = n_digits > 1 ? n_digits + 1 : 1;
    if (exponent < 0) {
        memcpy(out + n,
               (char[]){'e', '-', (char)('0' - exponent / 10), (char)('0' - exponent % 10)}, 4);
        n += 4;
    }
    srv_text_append(text, out, n);
}
