#include "base/json_number.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* digits x 10^exponent, as written. */
struct decimal {
    uint64_t digits;
    int exponent;
    bool negative, is_exact; /* digits holds them all */
};

enum {
    MAX_DIGITS = 19,     /* of any value below 2^64 */
    MAX_EXPONENT = 9999, /* beyond, nothing changes */
    MIN_POWER = -64,
    MAX_POWER = 38
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Appends a run of digits. Leading zeros do not count. */
static const char *scan_digits(const char *at, struct decimal *d, int *n_digits)
{
    for (; is_digit(*at); at++) {
        if (*n_digits < MAX_DIGITS) {
            d->digits = d->digits * 10 + (uint64_t)(*at - '0');
            *n_digits += d->digits != 0;
        } else {
            d->is_exact = false;
            d->exponent++;
        }
    }
    return at;
}

static const char *scan_exponent(const char *at, struct decimal *d)
{
    int sign = *at == '-' ? -1 : 1, value = 0;
    at += *at == '-' || *at == '+';
    if (!is_digit(*at)) return NULL;
    for (; is_digit(*at); at++)
        if (value < MAX_EXPONENT) value = value * 10 + (*at - '0');
    d->exponent += sign * value;
    return at;
}

static const char *scan(const char *at, struct decimal *d)
{
    int n_digits = 0;
    *d = (struct decimal){.is_exact = true, .negative = *at == '-'};
    at += d->negative;
    if (!is_digit(*at) || (at[0] == '0' && is_digit(at[1]))) return NULL;
    at = scan_digits(at, d, &n_digits);
    if (*at == '.') {
        const char *fraction = at + 1;
        if (!is_digit(*fraction)) return NULL;
        at = scan_digits(fraction, d, &n_digits);
        d->exponent -= (int)(at - fraction);
    }
    return *at == 'e' || *at == 'E' ? scan_exponent(at + 1, d) : at;
}

const char *srv_json_scan_double(const char *text, double *out)
{
    struct decimal d;
    const char *end = scan(text, &d);
    if (end) *out = strtod(text, NULL);
    return end;
}

/* clang-format off */
static const double powers[MAX_POWER - MIN_POWER + 1] = {
    1e-64, 1e-63, 1e-62, 1e-61, 1e-60, 1e-59, 1e-58, 1e-57, 1e-56, 1e-55, 1e-54, 1e-53, 1e-52,
    1e-51, 1e-50, 1e-49, 1e-48, 1e-47, 1e-46, 1e-45, 1e-44, 1e-43, 1e-42, 1e-41, 1e-40, 1e-39,
    1e-38, 1e-37, 1e-36, 1e-35, 1e-34, 1e-33, 1e-32, 1e-31, 1e-30, 1e-29, 1e-28, 1e-27, 1e-26,
    1e-25, 1e-24, 1e-23, 1e-22, 1e-21, 1e-20, 1e-19, 1e-18, 1e-17, 1e-16, 1e-15, 1e-14, 1e-13,
    1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1,
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31,
    1e32, 1e33, 1e34, 1e35, 1e36, 1e37, 1e38,
};
/* clang-format on */

/*
 * A double that lies within 2 of its last places of the number: the digits, the power and their
 * product are each rounded once. False where that says too little of the float that the number
 * rounds to: near the middle between two floats (which ends in a one and 28 zeros), and where
 * floats are subnormal or end.
 */
static bool approximate(const struct decimal *d, double *out)
{
    enum { MIDDLE = 1 << 28, MARGIN = 4 };
    if (!d->is_exact || d->exponent < MIN_POWER || d->exponent > MAX_POWER) return false;
    double value = (double)d->digits * powers[d->exponent - MIN_POWER];
    if (!(value >= 0x1p-126 && value <= 0x1p127)) return false;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    unsigned rest = (unsigned)(bits & 0x1FFFFFFF);
    *out = value;
    return rest < MIDDLE - MARGIN || rest > MIDDLE + MARGIN;
}

const char *srv_json_scan_float(const char *text, float *out)
{
    struct decimal d;
    double value;
    const char *end = scan(text, &d);
    if (!end) return NULL;
    if (d.digits == 0 && d.is_exact)
        *out = d.negative ? -0.0f : 0.0f;
    else if (approximate(&d, &value))
        *out = (float)(d.negative ? -value : value);
    else
        *out = (float)strtod(text, NULL);
    return end;
}
